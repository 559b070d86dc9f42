import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { silentLog } from '../../../../core/kit/log.ts';
import { EdgeCertificates } from '../../../../proxy/tls/edge-tls.ts';
import { MeshTls } from '../../../../proxy/tls/mesh-tls.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { makeTestAuthority } from '../../../support/test-authority.ts';

test('a certificate is chosen by name, exact or under a wildcard; the first stands for everything else', async () => {
  const authority = await makeTestAuthority();
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((account) => authority.svid(account)));
  assert.ok(a && b && c);
  const certificates = new EdgeCertificates([
    { ...a, hosts: ['api.shop.test'] },
    { ...b, hosts: ['*.shop.test'] },
    { ...c, hosts: ['other.test'] },
  ]);
  const first = certificates.find('api.shop.test');
  const wild = certificates.find('www.shop.test');
  const other = certificates.find('OTHER.test');
  assert.equal(new Set([first, wild, other]).size, 3);
  assert.equal(certificates.find('API.shop.test'), first);
  assert.equal(certificates.find('shop.test'), first);
  assert.equal(certificates.find(''), first);
});

test('material that cannot be used is refused as a whole, and what was there stays', async () => {
  const authority = await makeTestAuthority();
  const good = await authority.svid('orders');
  const other = await authority.svid('orders');
  const mixed = { ...good, keyPem: other.keyPem };
  const tls = new MeshTls({ trustDomain: 'shop.test', material: good, log: silentLog });
  const before = tls.context;
  assert.throws(() => tls.update(mixed));
  assert.equal(tls.context, before);
  tls.update(other);
  assert.notEqual(tls.context, before);
  const certificates = new EdgeCertificates([{ ...good, hosts: [] }]);
  const shown = certificates.find('a');
  assert.throws(() => certificates.update([{ ...mixed, hosts: [] }]));
  assert.equal(certificates.find('a'), shown);
});

test('a client that speaks no TLS is named in the log, with what to do', async (t) => {
  const authority = await makeTestAuthority();
  const log = recordingLog();
  const certificates = new EdgeCertificates([{ ...(await authority.svid('orders')), hosts: [] }]);
  const server = certificates.createServer('edge/main/0', log, ['http/1.1'], (socket) => socket.destroy());
  t.after(() => server.close());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  for (const greeting of ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) {
    const client = connect(address.port, '127.0.0.1');
    client.on('error', () => {});
    client.end(greeting);
    await new Promise((done) => client.resume().once('close', done));
  }
  assert.deepEqual(
    log.lines.map(({ level, fields }) => `${level} ${String(fields['listener'])} ${String(fields['hint'])}`),
    Array(2).fill('info edge/main/0 call it by https://'),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDestinations, withDestinations } from '../../../../../control-plane/cli/netns/destinations.ts';
import { startAdminServer, json } from '../../../../../host/admin.ts';
import { join } from 'node:path';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';

const GOOD = { user: 15_001, redirects: ['10.0.0.9:5432=127.15.3.7:5432', '[fd00::9]:5432=[::1]:20001'] };

test('a sidecar’s redirects are added to those that were asked for, with its user', async (t) => {
  const socket = join(await temporaryFolder(t), 'admin.sock');
  const server = await startAdminServer(socket, { '/redirects': () => json(GOOD) });
  t.after(() => server.close());
  const redirect = { from: { host: '127.15.3.7', port: 8080 }, to: { host: '127.0.0.1', port: 15_001 } };
  const plan = await withDestinations({ appPorts: [80], redirects: [redirect] }, socket);
  assert.equal(plan.proxyUser, 15_001);
  assert.deepEqual(
    plan.redirects.map(({ from, to }) => `${from.host} ${from.port} ${to.host} ${to.port}`),
    ['127.15.3.7 8080 127.0.0.1 15001', '10.0.0.9 5432 127.15.3.7 5432', 'fd00:0:0:0:0:0:0:9 5432 ::1 20001'],
  );
  await assert.rejects(withDestinations({ appPorts: [], redirects: [] }, `${socket}-none`), { code: 'netns-refused' });
});

test('a sidecar that runs as root is refused: an app may be root too', async (t) => {
  const socket = join(await temporaryFolder(t), 'admin.sock');
  const server = await startAdminServer(socket, { '/redirects': () => json({ ...GOOD, user: 0 }) });
  t.after(() => server.close());
  await assert.rejects(withDestinations({ appPorts: [], redirects: [] }, socket), {
    code: 'netns-refused',
    detail: /root/,
  });
  const plan = await withDestinations({ appPorts: [], redirects: [], proxyUser: 7 }, socket);
  assert.equal(plan.proxyUser, 7);
});

test('whatever else a process with fewer rights says is refused as a whole', () => {
  const wrong = [
    ...[
      '',
      '[]',
      'null',
      '{}',
      '{"user":1}',
      '{"user":-1,"redirects":[]}',
      '{"user":1.5,"redirects":[]}',
      '{"user":1,"redirects":{}}',
    ],
    ...[
      '127.0.0.1:22=127.0.0.1:1',
      '127.15.3.7:8080=127.0.0.1:1',
      '10.0.0.9:22=10.0.0.8:22',
      '[::1]:22=[::1]:1',
      '0.0.0.0:1=127.0.0.1:1',
    ].map((redirect) => JSON.stringify({ user: 1, redirects: [...GOOD.redirects, redirect] })),
    JSON.stringify({ user: 1, redirects: [7] }),
    JSON.stringify({ user: 1, redirects: ['10.0.0.9:5432=127.15.3.7:5432\n-A OUTPUT'] }),
    JSON.stringify({ user: 1, redirects: Array.from({ length: 16_385 }, () => GOOD.redirects[0]) }),
  ];
  for (const text of wrong)
    assert.throws(() => readDestinations(text, 's'), { code: 'netns-refused' }, text.slice(0, 80));
  assert.equal(readDestinations(JSON.stringify(GOOD), 's').redirects.length, 2);
});

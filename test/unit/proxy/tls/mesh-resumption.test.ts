// Sessions of mutual TLS between sidecars: resumed while everything is as it was, and never beyond that.
import assert from 'node:assert/strict';
import type { AddressInfo, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { MeshError } from '../../../../core/kit/error.ts';
import { silentLog } from '../../../../core/kit/log.ts';
import { spiffeId } from '../../../../core/model/brand.ts';
import type { Cluster } from '../../../../core/model/view.ts';
import { MeshDialer } from '../../../../proxy/tls/mesh-dial.ts';
import { MeshTls } from '../../../../proxy/tls/mesh-tls.ts';
import { endpointAt, staticCluster } from '../../../support/proxy-harness.ts';
import { makeTestAuthority, type TestAuthority } from '../../../support/test-authority.ts';

const trustDomain = 'shop.test';
const cluster = (account: string): Cluster => ({
  ...staticCluster('payments'),
  kind: 'mesh',
  identity: spiffeId(trustDomain, 'default', account),
});

interface Pair {
  readonly authority: TestAuthority;
  readonly server: MeshTls;
  readonly client: MeshTls;
  readonly clock: { ahead: number };
  /** What became of one connection: resumed, full, or a code. */
  dial(account?: string): Promise<string>;
}

async function makePair(t: TestContext): Promise<Pair> {
  const authority = await makeTestAuthority(trustDomain);
  const clock = { ahead: 0 };
  const now = (): number => Date.now() + clock.ahead;
  const server = new MeshTls({ trustDomain, material: await authority.svid('payments'), log: silentLog, now });
  const client = new MeshTls({ trustDomain, material: await authority.svid('orders'), log: silentLog });
  const listening = server.createServer('inbound', (socket) => {
    socket.on('error', () => {});
    socket.write('admitted');
  });
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  const open = new Set<Socket>();
  t.after(() => {
    for (const socket of open) socket.destroy();
    listening.close();
  });
  const dialer = new MeshDialer(client, silentLog);
  const endpoint = endpointAt((listening.address() as AddressInfo).port);
  const dial = (account = 'payments'): Promise<string> =>
    new Promise((done) => {
      const connected = (error: MeshError | null, socket: Socket | null): void => {
        if (socket === null) return done(error?.code ?? '');
        open.add(socket);
        const how = (socket as TLSSocket).isSessionReused() ? 'resumed' : 'full';
        // Who is not admitted hears nothing; the session comes with what is heard.
        socket.once('data', () => setTimeout(() => done(how), 20));
        socket.on('error', () => done('refused'));
        socket.on('close', () => done('refused'));
      };
      dialer.dial(cluster(account), endpoint, connected, false);
    });
  return { authority, server, client, clock, dial };
}

test('a second connection resumes the session of the first', async (t) => {
  const { dial } = await makePair(t);
  assert.deepEqual([await dial(), await dial(), await dial()], ['full', 'resumed', 'resumed']);
});

test('a renewed certificate, on either side, begins anew', async (t) => {
  const { dial, server, client, authority } = await makePair(t);
  assert.deepEqual([await dial(), await dial()], ['full', 'resumed']);
  server.update(await authority.svid('payments'));
  assert.deepEqual([await dial(), await dial()], ['full', 'resumed']);
  client.update(await authority.svid('orders'));
  assert.deepEqual([await dial(), await dial()], ['full', 'resumed']);
});

test('who is no longer of the bundle is refused, whatever session it has', async (t) => {
  const { dial, server, authority } = await makePair(t);
  assert.deepEqual([await dial(), await dial()], ['full', 'resumed']);
  const other = await makeTestAuthority(trustDomain);
  const own = await authority.svid('payments');
  server.update({ ...own, bundlePem: other.server.bundlePem });
  assert.equal(await dial(), 'refused');
});

test('an endpoint that the bundle no longer covers is not used, whatever session there is', async (t) => {
  const { dial, client, authority } = await makePair(t);
  assert.deepEqual([await dial(), await dial()], ['full', 'resumed']);
  const other = await makeTestAuthority(trustDomain);
  client.update({ ...(await authority.svid('orders')), bundlePem: other.server.bundlePem });
  assert.equal(await dial(), 'wrong-identity');
});

test('a session does not outlive the certificate that it was made with', async (t) => {
  const { dial, clock } = await makePair(t);
  assert.deepEqual([await dial(), await dial()], ['full', 'resumed']);
  clock.ahead = 73 * 3_600_000;
  assert.equal(await dial(), 'refused');
});

test('a session is for the identity that it proved, and for no other', async (t) => {
  const { dial } = await makePair(t);
  assert.deepEqual([await dial(), await dial()], ['full', 'resumed']);
  assert.equal(await dial('users'), 'wrong-identity');
  assert.equal(await dial(), 'resumed');
});

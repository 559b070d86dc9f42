import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { createServer, connect, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { silentLog } from '../../core/kit/log.ts';
import { verifyPeer } from '../../certs/spiffe/peer.ts';
import { systemClock } from '../../proxy/agent/agent.ts';
import { obtainIdentity, type ObtainIdentityOptions } from '../../proxy/agent/identity.ts';
import type { Identity } from '../../proxy/agent/identity-folder.ts';
import { startJoinableControlPlane, type JoinableControlPlane } from '../support/joinable-control-plane.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

function joining(
  test: TestContext,
  plane: JoinableControlPlane,
  stateDir: string,
  token: string | null,
): ObtainIdentityOptions {
  return {
    joinAddresses: [plane.joinAddress],
    token,
    stateDir,
    services: plane.services,
    log: silentLog,
    signal: AbortSignal.any([test.signal, AbortSignal.timeout(20_000)]),
    clock: systemClock,
  };
}

/** What a server with `server`'s identity sees of a client with `client`'s, expecting nothing of it. */
async function handshake(
  server: Identity,
  client: Identity,
): Promise<{ ofServer: Buffer; ofClient: Buffer; protocol: string | null }> {
  const listener = createServer({
    key: server.keyPem,
    cert: server.chainPem,
    ca: server.bundlePem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  // The kind of address is known: it listens on TCP.
  const { port } = listener.address() as AddressInfo;
  const accepted = once(listener, 'secureConnection');
  const socket = connect({
    port,
    host: '127.0.0.1',
    key: client.keyPem,
    cert: client.chainPem,
    ca: client.bundlePem,
    checkServerIdentity: () => undefined,
  });
  try {
    await once(socket, 'secureConnect');
    // Node's types do not know the arguments of this event.
    const [other] = (await accepted) as [TLSSocket];
    return {
      ofServer: socket.getPeerCertificate().raw,
      ofClient: other.getPeerCertificate().raw,
      protocol: socket.getProtocol(),
    };
  } finally {
    socket.destroy();
    listener.close();
  }
}

test('a token becomes an SVID with which two workloads meet over mutual TLS 1.3', async (t) => {
  const folder = await temporaryFolder(t);
  const plane = await startJoinableControlPlane(t, folder);
  const orders = await obtainIdentity(
    joining(t, plane, join(folder, 'orders'), await plane.token({ account: 'orders', version: 'v2' })),
  );
  const users = await obtainIdentity(joining(t, plane, join(folder, 'users'), await plane.token({ account: 'users' })));
  assert.equal(orders.spiffeId, 'spiffe://shop.test/ns/default/sa/orders');
  assert.match(orders.instance, /^orders-[0-9a-f]{4}$/);
  const seen = await handshake(orders, users);
  assert.equal(seen.protocol, 'TLSv1.3');
  const expected = { trustDomain: 'shop.test', identity: orders.spiffeId };
  const server = verifyPeer(seen.ofServer, expected);
  assert.ok(server.ok);
  const grant = plane.ledger.grantOf(server.value.serial);
  assert.equal(grant?.account, 'orders');
  assert.equal(grant.version, 'v2');
  assert.equal(grant.instance, orders.instance);
  const client = verifyPeer(seen.ofClient, expected);
  assert.deepEqual(client, { ok: false, error: `it is ${users.spiffeId}, not ${orders.spiffeId}` });
});

test('the files of an identity are readable by their owner alone', async (t) => {
  const folder = await temporaryFolder(t);
  const plane = await startJoinableControlPlane(t, folder);
  const stateDir = join(folder, 'orders');
  await obtainIdentity(joining(t, plane, stateDir, await plane.token({ account: 'orders' })));
  for (const name of ['key.pem', 'svid.pem', 'bundle.pem', 'instance.json']) {
    assert.equal((await stat(join(stateDir, name))).mode & 0o777, 0o600, name);
  }
  assert.equal((await stat(stateDir)).mode & 0o777, 0o700);
  assert.match(await readFile(join(stateDir, 'key.pem'), 'utf8'), /BEGIN PRIVATE KEY/);
});

test('a folder that holds a valid identity needs neither token nor control plane', async (t) => {
  const folder = await temporaryFolder(t);
  const plane = await startJoinableControlPlane(t, folder);
  const stateDir = join(folder, 'orders');
  const first = await obtainIdentity(joining(t, plane, stateDir, await plane.token({ account: 'orders' })));
  const nowhere = { ...joining(t, plane, stateDir, null), joinAddresses: [{ host: '127.0.0.1', port: 1 }] as const };
  assert.deepEqual(await obtainIdentity(nowhere), first);
});

test('of several addresses it joins where somebody answers, before it waits', async (t) => {
  const folder = await temporaryFolder(t);
  const plane = await startJoinableControlPlane(t, folder);
  const nobody = { host: '127.0.0.1', port: 1 };
  const pauses: number[] = [];
  const options = joining(t, plane, join(folder, 'orders'), await plane.token({ account: 'orders' }));
  const identity = await obtainIdentity({
    ...options,
    joinAddresses: [nobody, { ...nobody, port: 2 }, plane.joinAddress],
    clock: {
      ...systemClock,
      after: (ms, callback) => {
        pauses.push(ms);
        return systemClock.after(ms, callback);
      },
    },
  });
  assert.match(identity.instance, /^orders-/);
  assert.deepEqual(pauses, []);
});

test('an identity of the control plane itself cannot be had by a token', async (t) => {
  const folder = await temporaryFolder(t);
  const plane = await startJoinableControlPlane(t, folder);
  await assert.rejects(plane.token({ account: 'weft-control-plane' }), { code: 'usage' });
});

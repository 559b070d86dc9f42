// Authorities that are not as `weft ca init` makes them: imported under a company's root, encrypted, behind a command.
// Proxies join them, renew with them and speak with each other.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect, createServer } from 'node:tls';
import { initAuthority } from '../../certs/authority/authority-folder.ts';
import { importAuthority } from '../../certs/authority/authority-import.ts';
import { readAuthority } from '../../certs/authority/authority-reader.ts';
import { verifyPeer } from '../../certs/spiffe/peer.ts';
import { createToken } from '../../certs/token/token-store.ts';
import { Secret } from '../../certs/token/secret.ts';
import { generateKeyPair, privateKeyPem } from '../../certs/x509/key.ts';
import { startControlPlane } from '../../control-plane/start.ts';
import { silentLog } from '../../core/kit/log.ts';
import { loadServices } from '../../proto/codec/services.ts';
import { systemClock } from '../../proxy/agent/agent.ts';
import { obtainIdentity } from '../../proxy/agent/identity.ts';
import type { Identity } from '../../proxy/agent/identity-folder.ts';
import { renewIdentity } from '../../proxy/agent/identity-renewal.ts';
import { craftAuthority, nameConstraints } from '../support/crafted-certificates.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ambient = { clock: Date.now, random: (size: number): Uint8Array => randomBytes(size) };
const ANY_PORT = { host: '127.0.0.1', port: 0 };
const PASSPHRASE = 'a passphrase';
const trustDomain = 'shop.test';

interface Mesh {
  /** Joins, then renews: the second certificate counts. */
  identity(account: string): Promise<Identity>;
}

async function startMesh(t: TestContext, folder: string, caPassphrase: string | null = null): Promise<Mesh> {
  const [caDir, stateDir, file] = ['ca', 'control-plane', 'weft.yaml'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(
    file,
    `version: 1\nmesh: { trustDomain: ${trustDomain} }\nservices: { web: { port: 1 }, orders: { port: 2 } }\n`,
  );
  const settings = { config: [file], caDir, stateDir, discovery: ANY_PORT, join: ANY_PORT, status: ANY_PORT };
  const plane = await startControlPlane({ ...settings, caPassphrase }, { log: silentLog });
  t.after(() => plane.close());
  const services = loadServices();
  const addressOf = (name: string) => plane.ports.find((port) => port.name === name) ?? assert.fail(name);
  return {
    identity: async (account) => {
      const { rootFingerprint } = await readAuthority(caDir);
      const token = await createToken({ stateDir, rootFingerprint, ...ambient }, { account });
      const own = join(folder, account);
      const signal = AbortSignal.any([t.signal, AbortSignal.timeout(20_000)]);
      const joined = await obtainIdentity({
        joinAddresses: [addressOf('join')],
        ...{ token: token.reveal(), stateDir: own, services, log: silentLog, signal, clock: systemClock },
      });
      return renewIdentity({ address: addressOf('discovery'), identity: joined, services, stateDir: own });
    },
  };
}

/** Who the server of a mutual TLS connection proves to be. */
async function callee(server: Identity, client: Identity): Promise<string> {
  const listener = createServer({
    ...{ key: server.keyPem, cert: server.chainPem, ca: server.bundlePem },
    ...{ requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' },
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  // It listens on TCP.
  const { port } = listener.address() as AddressInfo;
  const accepted = once(listener, 'secureConnection');
  const socket = connect({
    ...{ port, host: '127.0.0.1', key: client.keyPem, cert: client.chainPem, ca: client.bundlePem },
    checkServerIdentity: () => undefined,
  });
  try {
    await Promise.all([once(socket, 'secureConnect'), accepted]);
    const certificate = socket.getPeerX509Certificate();
    const peer = certificate === undefined ? null : verifyPeer(certificate, { trustDomain, role: 'server' });
    assert.ok(peer?.ok);
    return peer.value.id;
  } finally {
    socket.destroy();
    listener.close();
  }
}

async function speaksInside(mesh: Mesh): Promise<void> {
  const [web, orders] = [await mesh.identity('web'), await mesh.identity('orders')];
  assert.equal(await callee(orders, web), `spiffe://${trustDomain}/ns/default/sa/orders`);
}

test('an intermediate two levels below a root that names no trust domain, limited to this one', async (t) => {
  const folder = await temporaryFolder(t);
  const root = craftAuthority('Corp Root');
  const upper = craftAuthority('Corp Mesh', { issuer: root, extensions: [nameConstraints([trustDomain])] });
  const issuing = craftAuthority('Shop', { issuer: upper, pathLength: 0, keys: generateKeyPair('p384') });
  await importAuthority(join(folder, 'ca'), {
    ...ambient,
    trustDomain,
    certificates: [issuing, upper, root].map(({ der }) => der),
    keys: issuing.keys,
    signCommand: null,
    keepRootKey: false,
    passphrase: null,
  });
  await speaksInside(await startMesh(t, folder));
});

test('an encrypted key: the control plane starts with its passphrase, and not without', async (t) => {
  const folder = await temporaryFolder(t);
  await initAuthority(join(folder, 'ca'), { ...ambient, trustDomain, passphrase: new Secret(PASSPHRASE) });
  await assert.rejects(startMesh(t, folder), { code: 'key-locked', hint: /WEFT_CA_PASSPHRASE_FILE/ });
  await assert.rejects(startMesh(t, folder, 'wrong'), { code: 'key-locked' });
  await speaksInside(await startMesh(t, folder, PASSPHRASE));
});

test('a key behind a command', async (t) => {
  const folder = await temporaryFolder(t);
  const keys = generateKeyPair();
  const [keyFile, script] = [join(folder, 'service.key'), join(folder, 'sign.mjs')];
  await writeFile(keyFile, privateKeyPem(keys.privateKey));
  await writeFile(
    script,
    `import { readFileSync } from 'node:fs';
import { createPrivateKey, sign } from 'node:crypto';
process.stdout.write(sign('sha256', readFileSync(0), createPrivateKey(readFileSync(${JSON.stringify(keyFile)}))));
`,
  );
  const signWith = { command: [process.execPath, script], publicKey: keys.publicKey };
  await initAuthority(join(folder, 'ca'), { ...ambient, trustDomain, signWith });
  await speaksInside(await startMesh(t, folder));
});

for (const keyKind of ['p384', 'ed25519', 'rsa2048'] as const) {
  test(`keys of the kind ${keyKind}`, async (t) => {
    const folder = await temporaryFolder(t);
    await initAuthority(join(folder, 'ca'), { ...ambient, trustDomain, keyKind });
    await speaksInside(await startMesh(t, folder));
  });
}

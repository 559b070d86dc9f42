import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { describeError, MeshError } from '../../core/kit/error.ts';
import { silentLog } from '../../core/kit/log.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { identityOf } from '../../certs/policy/names.ts';
import { makeCsr } from '../../certs/x509/csr.ts';
import { generateKeyPair, privateKeyPem } from '../../certs/x509/key.ts';
import { certificatesPem } from '../../certs/x509/pem.ts';
import { systemClock } from '../../proxy/agent/agent.ts';
import { obtainIdentity, type ObtainIdentityOptions } from '../../proxy/agent/identity.ts';
import { callForIdentity } from '../../proxy/agent/identity-call.ts';
import { eventually } from '../support/eventually.ts';
import { startJoinableControlPlane, type JoinableControlPlane } from '../support/joinable-control-plane.ts';
import { recordingLog } from '../support/recording-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const HOUR = 3_600_000;

interface Joining extends Partial<ObtainIdentityOptions> {
  readonly token: string | null;
}

async function join1(t: TestContext, plane: JoinableControlPlane, options: Joining) {
  return obtainIdentity({
    joinAddresses: [plane.joinAddress],
    stateDir: await temporaryFolder(t),
    services: plane.services,
    log: silentLog,
    signal: AbortSignal.any([t.signal, AbortSignal.timeout(20_000)]),
    clock: systemClock,
    ...options,
  });
}

/** One line, with a hint, and nothing of the token in it. */
function assertPresentable(error: unknown, token: string): void {
  const line = describeError(error);
  assert.match(line, /\(.+\)$/);
  assert.ok(!line.includes('\n') && (token === '' || !line.includes(token.split('.')[2] ?? token)), line);
}

async function refusal(promise: Promise<unknown>, code: string, token = ''): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof MeshError, String(error));
    assert.equal(error.code, code);
    assertPresentable(error, token);
    return true;
  });
}

test('no token, garbage, a token of another mesh and one with another secret are each refused in one line', async (t) => {
  const plane = await startJoinableControlPlane(t, await temporaryFolder(t));
  await refusal(join1(t, plane, { token: null }), 'token-invalid');
  await refusal(join1(t, plane, { token: 'garbage' }), 'token-invalid');
  const token = await plane.token({ account: 'orders' });
  const parts = token.split('.');
  const forged = [parts[0], parts[1], randomBytes(32).toString('base64url'), parts[3]].join('.');
  await refusal(join1(t, plane, { token: forged }), 'token-invalid', forged);
  const elsewhere = [...parts.slice(0, 3), randomBytes(32).toString('base64url')].join('.');
  await refusal(join1(t, plane, { token: elsewhere }), 'root-mismatch', elsewhere);
});

test('a token is good for one instance and until it expires', async (t) => {
  const plane = await startJoinableControlPlane(t, await temporaryFolder(t));
  const token = await plane.token({ account: 'orders' });
  await join1(t, plane, { token });
  await refusal(join1(t, plane, { token }), 'token-used', token);
  const late = await plane.token({ account: 'orders', ttl: HOUR });
  plane.advance(HOUR);
  await refusal(join1(t, plane, { token: late }), 'token-expired', late);
});

test('of ten instances that redeem one token at once exactly one becomes a workload', async (t) => {
  const plane = await startJoinableControlPlane(t, await temporaryFolder(t));
  const token = await plane.token({ account: 'orders' });
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => join1(t, plane, { token })));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'token-used');
});

test('an instance whose answer was lost asks again with the same key and is the same instance', async (t) => {
  const plane = await startJoinableControlPlane(t, await temporaryFolder(t));
  const token = await plane.token({ account: 'orders' });
  const keys = generateKeyPair();
  const ask = () =>
    callForIdentity({
      address: plane.joinAddress,
      trust: { bundlePem: certificatesPem(plane.authority.bundle), trustDomain: 'shop.test' },
      method: plane.services.join.Redeem,
      request: { token, csr: makeCsr(keys) },
    });
  const first = await ask();
  const second = await ask();
  assert.equal(second.instance, first.instance);
  assert.notEqual(second.chainPem, first.chainPem);
});

test('a request for another identity, or a tampered one, is refused and uses nothing up', async (t) => {
  const plane = await startJoinableControlPlane(t, await temporaryFolder(t));
  const token = await plane.token({ account: 'orders' });
  const ask = (csr: Buffer) =>
    callForIdentity({
      address: plane.joinAddress,
      trust: { bundlePem: certificatesPem(plane.authority.bundle), trustDomain: 'shop.test' },
      method: plane.services.join.Redeem,
      request: { token, csr },
    });
  const payments = identityOf('shop.test', 'payments');
  await assert.rejects(ask(makeCsr(generateKeyPair(), [{ kind: 'uri', value: payments }])), { code: 'csr-refused' });
  const tampered = makeCsr(generateKeyPair());
  tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1;
  await assert.rejects(ask(tampered), { code: 'csr-refused' });
  await assert.rejects(ask(Buffer.alloc(0)), { code: 'csr-refused' });
  assert.equal((await join1(t, plane, { token })).spiffeId, identityOf('shop.test', 'orders'));
});

test('a workload that answers in place of the control plane gets no token', async (t) => {
  const plane = await startJoinableControlPlane(t, await temporaryFolder(t));
  const keys = generateKeyPair();
  const svid = await plane.authority.signSvid({
    publicKey: keys.publicKey,
    identity: identityOf('shop.test', 'users'),
    hosts: ['weft-control-plane'],
  });
  const impostor = createTlsServer({
    key: privateKeyPem(keys.privateKey),
    cert: certificatesPem([...svid.chain, ...svid.bundle]),
    ALPNProtocols: ['h2'],
  });
  let received = '';
  impostor.on('secureConnection', (socket) => {
    socket.on('data', (data) => {
      received += data.toString('latin1');
    });
    socket.on('error', () => {});
  });
  const joinAddress = await listening(t, impostor);
  const token = await plane.token({ account: 'orders' });
  await refusal(join1(t, plane, { token, joinAddresses: [joinAddress] }), 'peer-refused', token);
  assert.ok(!received.includes(token));
});

test('a control plane that is not there yet is waited for, said once, and then joined', async (t) => {
  const folder = await temporaryFolder(t);
  const plane = await startJoinableControlPlane(t, folder);
  const token = await plane.token({ account: 'orders' });
  const log = recordingLog();
  let tries = 0;
  // Stands where the control plane will be: hangs up on the first three.
  const gate = createTcpServer((socket) => {
    tries += 1;
    socket.on('error', () => {});
    socket.destroy();
  });
  const joinAddress = await listening(t, gate);
  const impatient = { ...systemClock, random: () => 0.01 };
  const stop = new AbortController();
  const waiting = join1(t, plane, { token, joinAddresses: [joinAddress], log, clock: impatient, signal: stop.signal });
  await eventually(() => tries >= 3);
  stop.abort();
  await assert.rejects(waiting, { code: 'control-plane-unreachable' });
  assert.equal(log.lines.filter(({ message }) => message === 'waiting for the control plane').length, 1);
});

test('neither the log nor the folders of the control plane hold the token', async (t) => {
  const folder = await temporaryFolder(t);
  const log = recordingLog();
  const plane = await startJoinableControlPlane(t, folder, { log });
  const token = await plane.token({ account: 'orders' });
  const identity = await join1(t, plane, { token });
  await refusal(join1(t, plane, { token }), 'token-used', token);
  const secret = token.split('.')[2] ?? token;
  assert.ok(log.lines.length >= 2);
  assert.ok(!JSON.stringify(log.lines).includes(secret));
  const issued = await readFile(join(plane.stateDir, 'issued.jsonl'), 'utf8');
  assert.ok(!issued.includes(secret) && issued.includes(identity.instance));
});

test('a stranger who is wrong again and again has to wait', async (t) => {
  const plane = await startJoinableControlPlane(t, await temporaryFolder(t));
  const codes = new Set<string>();
  for (let index = 0; index < 22; index += 1) {
    const call = callForIdentity({
      address: plane.joinAddress,
      trust: { bundlePem: certificatesPem(plane.authority.bundle), trustDomain: 'shop.test' },
      method: plane.services.join.Redeem,
      request: { token: 'garbage', csr: Buffer.alloc(0) },
    });
    codes.add(
      await call.then(
        () => 'ok',
        (error: MeshError) => error.code,
      ),
    );
  }
  assert.deepEqual([...codes], ['token-invalid', 'overloaded']);
});

async function listening(t: TestContext, server: ReturnType<typeof createTcpServer>): Promise<HostPort> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  // It listens on TCP, so its address is one of these.
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { identityOf } from '../../certs/policy/names.ts';
import { API_SOCKET } from '../../host/control-plane-settings.ts';
import { eventually } from '../support/eventually.ts';
import { makeTestAuthority } from '../support/test-authority.ts';
import { askSocket, askTls, operatorPapers, papersOf, type Papers, type RawReply } from '../support/operators.ts';
import { runControlPlaneHere, type RunningControlPlane } from '../support/running-control-plane.ts';

const MESH = `version: 1
mesh: { trustDomain: shop.test }
services:
  web: { port: 3000, calls: [orders] }
  orders: { port: 8080, timeout: 2s }
`;
const NEXT = MESH.replace('2s', '3s');
const filesOf = (text: string, more: object = {}) => JSON.stringify({ files: [{ name: 'a.yaml', text }], ...more });
const apply = (text: string, more: object = {}) => ({ method: 'POST', path: '/v1/apply', body: filesOf(text, more) });

const problemOf = ({ status, json }: RawReply) => {
  const { kind, message, hint } = json as { kind: string; message: string; hint: string };
  return [status, kind, hint === '' ? message : `${message} (${hint})`];
};
const snapshotOf = ({ plane }: RunningControlPlane) => plane.facts.snapshot() ?? '';

test('a role bounds what an operator may do, and the audit log has the name in the certificate', async (t) => {
  const running = await runControlPlaneHere(t, MESH, { api: true });
  const reader = await operatorPapers(running, 'reader', { name: 'rita' });
  const alice = await operatorPapers(running, 'operator', { name: 'alice' });
  const before = snapshotOf(running);
  const status = await askTls(running, reader, { path: '/v1/status' });
  assert.deepEqual((status.json as { caller: unknown }).caller, { name: 'rita', role: 'reader' });
  assert.deepEqual(problemOf(await askTls(running, reader, apply(NEXT))), [
    403,
    'forbidden',
    'rita is a reader; this needs an operator (`weft ca issue --operator rita --role operator` makes a certificate that may)',
  ]);
  assert.equal(snapshotOf(running), before);
  const done = await askTls(running, alice, apply(NEXT, { who: 'eve' }));
  assert.equal(done.status, 200, done.text);
  assert.notEqual(snapshotOf(running), before);
  assert.equal(done.headers['etag'], `"${snapshotOf(running)}"`);
  const audit = await askTls(running, reader, { path: '/v1/audit?limit=1' });
  const [line] = (audit.json as { items: { who: string; action: string; snapshot: string }[] }).items;
  assert.deepEqual([line?.who, line?.action, line?.snapshot], ['alice (operator)', 'apply', snapshotOf(running)]);
  assert.match(
    await readFile(join(running.folder, 'control-plane/store/audit.jsonl'), 'utf8'),
    /"who":"alice \(operator\)"/,
  );
});

test('whoever is no operator is told why, and nothing else', async (t) => {
  const running = await runControlPlaneHere(t, MESH, { api: true });
  const { ca } = await operatorPapers(running, 'reader');
  const stranger = await makeTestAuthority('shop.test');
  const foreign = await stranger.svid('orders');
  const cases: readonly (readonly [Partial<Papers>, RegExp])[] = [
    [{}, /^a certificate of an operator is needed/],
    [
      await papersOf(running, async (authority, publicKey) =>
        authority.signSvid({ publicKey, identity: identityOf('shop.test', 'orders') }),
      ),
      /^spiffe:\/\/shop\.test\/ns\/default\/sa\/orders is no operator/,
    ],
    [await operatorPapers(running, 'admin', { life: -1_000 }), /^the certificate has expired/],
    [{ cert: foreign.chainPem, key: foreign.keyPem }, /^the certificate is not of the authority of this mesh/],
    [
      // For servers alone: TLS itself does not take it from a client.
      await papersOf(running, async (authority, publicKey) =>
        authority.signServerCertificate({ publicKey, hosts: ['shop.test'] }),
      ),
      /^the certificate cannot be used here: INVALID_PURPOSE/,
    ],
  ];
  for (const [papers, reason] of cases) {
    for (const asked of [
      { path: '/v1/status' },
      { path: '/v1/openapi.json' },
      { path: '/v1/proxies?watch=true' },
      apply(NEXT),
    ]) {
      const reply = await askTls(running, { ...papers, ca }, asked);
      const [status, kind, message] = problemOf(reply);
      assert.deepEqual([status, kind], [401, 'unauthenticated'], asked.path);
      assert.match(String(message), reason);
    }
  }
});

test('a connection does not outlive the certificate that it began with', async (t) => {
  const running = await runControlPlaneHere(t, MESH, { api: true });
  const papers = await operatorPapers(running, 'reader', { life: 1_500 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const { host, port } = running.port('api');
  const statusNow = async () => {
    const request = httpsRequest({
      agent,
      host,
      port,
      path: '/v1/status',
      servername: 'weft-control-plane',
      ...papers,
    });
    request.end();
    const [answer] = await once(request, 'response');
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode;
  };
  assert.equal(await statusNow(), 200);
  await eventually(async () => (await statusNow()) === 401, 5_000);
});

test('of two changes made for the same snapshot one is done, and the other is told what is in force', async (t) => {
  const running = await runControlPlaneHere(t, MESH);
  const before = snapshotOf(running);
  const headers = { 'if-match': `"${before}"` };
  const replies = await Promise.all(
    ['3s', '4s'].map((time) => askSocket(running, { ...apply(MESH.replace('2s', time)), headers })),
  );
  assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 412]);
  const late = replies.find(({ status }) => status === 412);
  assert.equal((late?.json as { snapshot: string } | undefined)?.snapshot, snapshotOf(running));
  assert.notEqual(snapshotOf(running), before);
  for (const given of ['abc', '"a", "b"', 'W/"abc"', '""']) {
    const reply = await askSocket(running, { ...apply(MESH), headers: { 'if-match': given } });
    assert.deepEqual(problemOf(reply).slice(0, 2), [400, 'bad-request'], given);
  }
  const any = await askSocket(running, { ...apply(MESH), headers: { 'if-match': '*' } });
  assert.equal(any.status, 200);
});

test('a caller without the right to change is refused before the body is read', async (t) => {
  const running = await runControlPlaneHere(t, MESH, { api: true });
  const papers = await operatorPapers(running, 'reader');
  const { host, port } = running.port('api');
  const socket = connectTls({ host, port, ...papers, servername: 'weft-control-plane' });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  socket.write(
    'POST /v1/apply HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9000000\r\n\r\n{',
  );
  const [chunk] = await once(socket.setEncoding('utf8'), 'data');
  assert.match(String(chunk), /^HTTP\/1\.1 403 /);
});

test('what makes no sense is refused in one line, and the next request is served', async (t) => {
  const running = await runControlPlaneHere(t, MESH);
  const post = (body: string, headers = {}) => askSocket(running, { method: 'POST', path: '/v1/plan', body, headers });
  const many = Array.from({ length: 257 }, () => ({ name: 'a', text: '' }));
  for (const body of [
    'garbage',
    '',
    '[]',
    'null',
    '5',
    '{}',
    '{"files":[]}',
    '{"files":[{"name":1}]}',
    JSON.stringify({ files: many }),
  ]) {
    assert.equal((await post(body)).status, 400, body.slice(0, 60));
  }
  assert.equal((await post(filesOf(MESH), { 'content-type': 'text/plain' })).status, 400);
  assert.equal((await post(filesOf('#'.repeat(17 * 1024 * 1024)))).status, 413);
  for (const [path, message] of [
    ['/v1/proxies?wach=true', /there is no parameter "wach".*did you mean "watch"\?/],
    ['/v1/proxies?watch=yes', /watch is true or false/],
    ['/v1/status?watch=true', /there is no parameter "watch".*it takes none/],
  ] as const) {
    const [status, kind, ...said] = problemOf(await askSocket(running, { path }));
    assert.deepEqual([status, kind], [400, 'bad-request'], path);
    assert.match(said.join(' '), message);
  }
  assert.equal((await askSocket(running, { path: `/v1/${'x'.repeat(20_000)}` })).status, 431);
  const head = await askSocket(running, { method: 'HEAD', path: '/v1/proxies' });
  assert.deepEqual([head.status, head.text], [200, '']);
  const raw = connect(join(running.folder, 'control-plane', API_SOCKET));
  raw.write('\u0000\u0001garbage\r\n\r\n');
  await once(raw.resume(), 'close');
  const rollback = await askSocket(running, {
    ...{ method: 'POST', path: '/v1/rollback' },
    body: JSON.stringify({ hash: 'ffff', who: 'eve\n\u001b[2Jadam' }),
  });
  assert.equal(rollback.status, 404);
  const drain = await askSocket(running, { method: 'POST', path: '/v1/proxies/nobody/drain', body: '' });
  assert.deepEqual([drain.status, (drain.json as { kind: string }).kind], [404, 'not-found'], 'needs no body');
  await askSocket(running, apply(NEXT, { who: 'eve\n\u001b[2Jadam' }));
  const audit = await askSocket(running, { path: '/v1/audit?limit=1' });
  assert.equal((audit.json as { items: { who: string }[] }).items[0]?.who, 'eve  [2Jadam');
});

test('changes whose bodies do not come are few, and give their places back when their callers go', async (t) => {
  const running = await runControlPlaneHere(t, MESH);
  const slow = Array.from({ length: 4 }, () => {
    const socket = connect(join(running.folder, 'control-plane', API_SOCKET));
    t.after(() => socket.destroy());
    socket.write('POST /v1/plan HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{');
    return socket;
  });
  await eventually(async () => (await askSocket(running, { ...apply(MESH), path: '/v1/plan' })).status === 503);
  assert.equal((await askSocket(running, { path: '/v1/status' })).status, 200);
  for (const socket of slow) socket.destroy();
  await eventually(async () => (await askSocket(running, { ...apply(MESH), path: '/v1/plan' })).status === 200);
});

/** The lines of a watched list, as they come. */
async function watch(t: TestContext, running: RunningControlPlane, list: string) {
  const lines: { type: string; name?: string; item?: { name: string; current?: boolean } }[] = [];
  const socket = connect(join(running.folder, 'control-plane', API_SOCKET));
  t.after(() => socket.destroy());
  socket.write(`GET /v1/${list}?watch=true HTTP/1.0\r\n\r\n`);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const parts = text.split('\n');
    text = parts.pop() ?? '';
    for (const part of parts) if (part.startsWith('{')) lines.push(JSON.parse(part));
  });
  await eventually(() => lines.some(({ type }) => type === 'synced'));
  return { lines, socket };
}

test('a watched list tells who comes, what changes and who goes', async (t) => {
  const running = await runControlPlaneHere(t, MESH);
  const proxies = await watch(t, running, 'proxies');
  const services = await watch(t, running, 'services');
  assert.deepEqual(
    proxies.lines.map(({ type }) => type),
    ['synced'],
  );
  assert.equal(services.lines.length, 3);
  const agent = await running.sidecar({ account: 'orders', instance: 'orders-1' });
  await eventually(() => proxies.lines.some(({ item }) => item?.name === 'orders-1' && item.current === true));
  await eventually(() => services.lines.filter(({ item }) => item?.name === 'orders').length === 2);
  const known = services.lines.length;
  await running.edit(MESH.replace('3000', '3001'));
  await eventually(() => services.lines.slice(known).some(({ type }) => type === 'synced'));
  assert.deepEqual(
    services.lines.slice(known).flatMap(({ item }) => item?.name ?? []),
    ['web'],
  );
  await agent.agent.close();
  await eventually(() => proxies.lines.some(({ type, name }) => type === 'removed' && name === 'orders-1'));
});

test('readers of watched lists are counted, and leave room for others when they go', async (t) => {
  const running = await runControlPlaneHere(t, MESH);
  const readers = await Promise.all(Array.from({ length: 32 }, () => watch(t, running, 'services')));
  const full = await askSocket(running, { path: '/v1/services?watch=true' });
  assert.deepEqual(problemOf(full).slice(0, 2), [503, 'busy']);
  assert.equal((await askSocket(running, { path: '/v1/services' })).status, 200);
  readers[0]?.socket.destroy();
  await eventually(async () => {
    const socket = connect(join(running.folder, 'control-plane', API_SOCKET));
    socket.write('GET /v1/services?watch=true HTTP/1.0\r\n\r\n');
    const [chunk] = await once(socket, 'data');
    socket.destroy();
    return String(chunk).startsWith('HTTP/1.1 200');
  });
});

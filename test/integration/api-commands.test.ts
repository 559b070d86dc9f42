import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { runDrain } from '../../control-plane/cli/get/drain.ts';
import { runGet, type GetArgs } from '../../control-plane/cli/get/get.ts';
import { runApply } from '../../control-plane/cli/state/changes.ts';
import { describeError } from '../../core/kit/error.ts';
import { eventually } from '../support/eventually.ts';
import { makeTestAuthority } from '../support/test-authority.ts';
import { makeEdgeImpostor, operatorPapers, type Papers } from '../support/operators.ts';
import { runControlPlaneHere, type RunningControlPlane } from '../support/running-control-plane.ts';

const CLI = join(import.meta.dirname, '../../control-plane/cli/main.ts');
const MESH = `version: 1
mesh: { trustDomain: shop.test }
services:
  web: { port: 3000, calls: [orders] }
  orders: { port: 8080, versions: { v1: {}, v2: {} } }
edges:
  main:
    listeners: [{ port: 0, address: 127.0.0.1 }]
    routes:
      - { match: /api/**, to: { orders@v1: 90, orders@v2: 10 } }
      - { match: { path: /api/**, headers: { x-beta: '1' }, query: { v: '2' } }, to: orders@v2 }
      - { match: /**, to: web }
`;

const local = ({ folder }: RunningControlPlane) => ({ dir: join(folder, 'control-plane') });

/** The papers as files, and the flags that name them. */
async function remote({ folder, port }: RunningControlPlane, papers: Papers, name: string) {
  const flags = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`), ca: join(folder, `${name}.ca`) };
  for (const each of ['cert', 'key', 'ca'] as const) await writeFile(flags[each], papers[each]);
  return { dir: 'nowhere', api: `127.0.0.1:${port('api').port}`, ...flags };
}

async function get(t: TestContext, args: Partial<GetArgs> & Pick<GetArgs, 'kind' | 'dir'>) {
  const [out, errors]: [string[], string[]] = [[], []];
  const all: GetArgs = { watch: false, output: 'table', json: false, ...args };
  const code = await runGet(
    all,
    t.signal,
    (line) => void out.push(line),
    (line) => void errors.push(line),
  );
  return { code, out, errors };
}

const failing = (work: Promise<unknown>) =>
  work.then(
    () => assert.fail('it worked'),
    (error: unknown) => describeError(error),
  );

test('weft get shows services, routes, proxies, certificates and snapshots, one or all, in three formats', async (t) => {
  const running = await runControlPlaneHere(t, MESH);
  await running.sidecar({ account: 'orders', version: 'v1', instance: 'orders-1' });
  await eventually(() => running.plane.facts.instances().length === 1);
  const at = local(running);
  const lines = async (args: Partial<GetArgs> & Pick<GetArgs, 'kind'>) => (await get(t, { ...at, ...args })).out;

  const services = await lines({ kind: 'services' });
  assert.match(services[0] ?? '', /^NAME +PROTOCOL +PORT +INSTANCES +CALLS +CALLERS +AT$/);
  assert.match(services[1] ?? '', /^orders +http +8080 +1 +- +web, edge-main +.*weft\.yaml:5:3$/);
  const routes = await lines({ kind: 'routes' });
  assert.match(routes[1] ?? '', /^edges\.main\.routes\[0\] +\* +\* +\/api\/\*\* +orders@v1 90%, orders@v2 10% +.*:10:/);
  assert.match(routes[2] ?? '', / \/api\/\*\* \(x-beta, \?v\) +orders@v2 /, 'what it wants beside the path');
  const proxies = await lines({ kind: 'proxies' });
  assert.match(proxies[1] ?? '', /^orders-1 +orders +v1 +127\.0\.0\.1:15006 +[0-9a-f]{12} +ready +in 71h +\S+$/);
  const certificates = await lines({ kind: 'certificates' });
  assert.match(certificates.join('\n'), /\n[0-9a-f]+ +root +- +in 3\d{3}d +spiffe:\/\/shop\.test\n/);
  assert.match(certificates.join('\n'), /svid +orders-1 +in 71h +spiffe:\/\/shop\.test\/ns\/default\/sa\/orders/);

  const service = await lines({ kind: 'service', name: 'orders' });
  assert.deepEqual(service.length, 2);
  assert.match(service[1] ?? '', /^orders +http +8080 /);
  const one = JSON.parse((await lines({ kind: 'proxies', name: 'orders-1', output: 'json' })).join('\n'));
  assert.deepEqual([one.name, one.current, one.status], ['orders-1', true, null]);
  const all = parse((await lines({ kind: 'snapshots', output: 'yaml' })).join('\n'));
  assert.equal(all.items[0].inForce, true);
  const hash: string = all.items[0].name;
  assert.equal(
    JSON.parse((await lines({ kind: 'snapshot', name: hash.slice(0, 5), json: true })).join('\n')).name,
    hash,
  );

  const none = await get(t, { ...at, kind: 'services', name: 'ordres' });
  assert.deepEqual(
    [none.code, none.errors],
    [1, ['weft: services: there is none named "ordres" (did you mean orders?)']],
  );
  assert.equal(
    await failing(get(t, { ...at, kind: 'service5' })),
    'the command line is not valid: there is no kind "service5" (did you mean services?)',
  );
});

test('weft get --watch prints a table, then a row for each change', async (t) => {
  const running = await runControlPlaneHere(t, MESH);
  const out: string[] = [];
  const stop = new AbortController();
  const args: GetArgs = { ...local(running), kind: 'proxies', watch: true, output: 'table', json: false };
  const done = runGet(
    args,
    stop.signal,
    (line) => void out.push(line),
    () => {},
  );
  await eventually(() => out.length === 1);
  const { agent } = await running.sidecar({ account: 'web', instance: 'web-1' });
  await eventually(() => out.some((line) => /^web-1 .* ready /.test(line)));
  await agent.close();
  await eventually(() => out.includes('web-1 is gone'));
  stop.abort();
  assert.equal(await done, 0);
});

test('weft drain takes an instance out and lets it back, and the log says who did it', async (t) => {
  const running = await runControlPlaneHere(t, MESH, { settle: 0 });
  await running.sidecar({ account: 'orders', version: 'v1', instance: 'orders-1' });
  await eventually(() => running.plane.facts.instances().length === 1);
  const drain = async (instance: string, undo: boolean) => {
    const out: string[] = [];
    const code = await runDrain({ ...local(running), instance, undo, json: false }, (line) => void out.push(line));
    return { code, out };
  };
  assert.deepEqual(await drain('orders-1', false), {
    code: 0,
    out: ['orders-1: nobody calls it any more (`weft drain --undo orders-1` lets it back)'],
  });
  assert.deepEqual(running.plane.facts.instances(), []);
  assert.match((await get(t, { ...local(running), kind: 'proxies' })).out[1] ?? '', /^orders-1 .* drained /);
  const line = running.log.lines.find(({ message }) => message === 'an operator takes an instance out');
  assert.match(String(line?.fields['who']), /@/);
  assert.deepEqual(await drain('orders-1', true), { code: 0, out: ['orders-1 is called again'] });
  await eventually(() => running.plane.facts.instances().length === 1);
  assert.match(await failing(drain('orders-1', true)), /refused the command: nobody has taken orders-1 out$/);
  assert.match(
    await failing(drain('nobody', false)),
    /refused the command: there is no proxy "nobody" \(see `weft get proxies`\)$/,
  );
  assert.match(await failing(drain('order-1', false)), /there is no proxy "order-1" \(did you mean "orders-1"\?\)$/);
  await running.sidecar({ account: 'edge-main', instance: 'edge-1' }, 0);
  await eventually(() => running.plane.facts.proxies().length === 2);
  assert.match(await failing(drain('edge-1', false)), /nobody in the mesh calls edge-1 \(to end an edge, stop it\)$/);
});

test('a control plane far away is asked with an operator certificate, by flags or by the environment', async (t) => {
  const running = await runControlPlaneHere(t, MESH, { api: true });
  const admin = await remote(running, await operatorPapers(running, 'admin', { name: 'ann' }), 'ann');
  assert.equal((await get(t, { ...admin, kind: 'services' })).out.length, 3);
  const env = {
    ...process.env,
    WEFT_API: admin.api,
    WEFT_API_CERT: admin.cert,
    WEFT_API_KEY: admin.key,
    WEFT_API_CA: admin.ca,
  };
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'get', 'services'], { env });
  assert.match(stdout, /^NAME .*\norders .*\nweb /);
  const next = join(running.folder, 'next.yaml');
  await writeFile(next, MESH.replace('3000', '3001'));
  const apply = async (ifMatch: string | null) => {
    const errors: string[] = [];
    const args = { ...admin, files: [next], json: false, ...(ifMatch === null ? {} : { ifMatch }) };
    return {
      code: await runApply(
        args,
        () => {},
        (line) => void errors.push(line),
      ),
      errors,
    };
  };
  const before = running.plane.facts.snapshot() ?? '';
  assert.deepEqual(await apply('abc0'), {
    code: 1,
    errors: [`weft: ${before} is in force, not what If-Match names (plan again)`],
  });
  assert.match(await failing(apply('nope')), /--if-match needs the hash of a snapshot, found 'nope' \(as `weft plan`/);
  assert.equal((await apply(before)).code, 0);
  const snapshots = await get(t, { ...admin, kind: 'snapshots' });
  assert.match(snapshots.out[1] ?? '', /^\* .* ann \(admin\)$/);
});

test('whatever keeps a command from the control plane is said in one line with what to do', async (t) => {
  const running = await runControlPlaneHere(t, MESH, { api: true });
  const reader = await remote(running, await operatorPapers(running, 'reader', { name: 'rita' }), 'rita');
  const late = await remote(running, await operatorPapers(running, 'reader', { life: -1_000 }), 'late');
  const stranger = await makeTestAuthority('shop.test');
  const svid = await stranger.svid('orders');
  const outsider = await remote(running, { cert: svid.chainPem, key: svid.keyPem, ca: svid.bundlePem }, 'svid');
  const deaf = createServer((socket) => socket.end('HTTP/1.1 400 no\r\n\r\n'));
  await new Promise<void>((done) => deaf.listen(0, '127.0.0.1', done));
  t.after(() => deaf.close());
  const address = deaf.address();
  const plain = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const ask = (flags: Omit<GetArgs, 'kind' | 'watch' | 'output' | 'json'>) =>
    failing(get(t, { ...flags, kind: 'services' }));

  assert.match(await ask({ dir: 'nowhere' }), /none runs at .*nowhere\/api\.sock \(start it, name its state folder/);
  assert.match(
    await ask({ dir: 'x', api: reader.api }),
    /--api needs --cert, --key and --ca too \(make them with `weft ca issue/,
  );
  assert.match(await ask({ dir: 'x', cert: reader.cert }), /--cert, --key and --ca go with --api/);
  assert.match(await ask({ ...reader, api: 'here' }), /--api needs host:port.*'here'/);
  assert.match(await ask({ ...reader, key: late.key }), /late\.key is not the key of .*rita\.pem$/);
  assert.match(await ask({ ...reader, cert: reader.key }), /rita\.key is not a certificate in PEM$/);
  assert.match(await ask(late), /late\.pem expired on .* \(make a new one with `weft ca issue --operator NAME`\)$/);
  assert.match(await ask(outsider), /svid\.pem is no certificate of an operator/);
  assert.match(await ask({ ...reader, ca: outsider.ca }), /is --ca the root of this mesh\?\)$/);
  assert.match(await ask({ ...reader, api: '127.0.0.1:1' }), /nothing listens at 127\.0\.0\.1:1 \(/);
  assert.match(await ask({ ...reader, api: plain }), /speaks no TLS \(/);
  assert.match(
    await ask({ ...reader, api: `127.0.0.1:${running.port('discovery').port}` }),
    /does not answer as a control plane/,
  );
  const file = join(running.folder, 'weft.yaml');
  const refused = failing(
    runApply(
      { ...reader, files: [file], json: false },
      () => {},
      () => {},
    ),
  );
  assert.match(await refused, /refused the command: rita is a reader; this needs an operator \(`weft ca issue/);
});

test('what answers in the place of the control plane with a certificate of an edge is not believed', async (t) => {
  const running = await runControlPlaneHere(t, MESH, { api: true });
  const reader = await operatorPapers(running, 'reader', { name: 'rita' });
  const port = await makeEdgeImpostor(t, running);
  const flags = await remote(running, reader, 'rita');
  const said = await failing(get(t, { ...flags, api: `127.0.0.1:${port}`, kind: 'services' }));
  assert.match(said, /not a control plane/);
});

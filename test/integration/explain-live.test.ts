// `weft explain` and `weft check` beside a control plane that runs: its instances, what they say of themselves, what their
// rings keep, and what is amiss.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCheck } from '../../control-plane/cli/explain/check.ts';
import { runDecision } from '../../control-plane/cli/explain/decision.ts';
import { runExplain } from '../../control-plane/cli/explain/explain.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { AgentOptions } from '../../proxy/agent/agent.ts';
import type { ProxyFacts } from '../../proxy/agent/proxy-facts.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningControlPlane, runControlPlaneHere } from '../support/running-control-plane.ts';
import { SAMPLE_FACTS } from '../support/sample-facts.ts';

const YAML = `version: 1
mesh: { trustDomain: shop.test }
services:
  web: { port: 3000, calls: [orders] }
  orders: { port: 8080, allow: [{ from: web, methods: [GET] }] }
`;

interface Ran {
  readonly code: number;
  readonly lines: readonly string[];
}

async function ran(work: (out: (line: string) => void) => Promise<number>): Promise<Ran> {
  const lines: string[] = [];
  return { code: await work((line) => lines.push(line)), lines };
}

const REST = { from: null, headers: [], files: [], proxy: null, output: 'text' } as const;

function commands(mesh: RunningControlPlane) {
  const dir = join(mesh.folder, 'control-plane');
  return {
    explain: (request: string, from: string | null) =>
      ran((out) => runExplain({ ...REST, request, from, dir }, out, out)),
    decision: (decision: string, instance: string | null = null) =>
      ran((out) => runDecision({ decision, instance, proxy: null, files: [], output: 'text', dir }, out, out)),
    check: (strict = false, now: () => number = Date.now) =>
      ran((out) => runCheck({ dir, caDir: join(mesh.folder, 'ca'), output: 'text', strict }, now, out)),
  };
}

function saying(facts: Partial<ProxyFacts>, decisions: readonly { readonly id: string }[] = []): Partial<AgentOptions> {
  const all = { ...SAMPLE_FACTS, certificate: { serial: 'aa', notAfter: Date.now() + 50 * 3_600_000 }, ...facts };
  return {
    facts: { refresh: () => Promise.resolve(), read: () => all },
    decisions: { list: () => decisions, find: (id) => decisions.find((each) => each.id === id) ?? null },
  };
}

async function scene(t: TestContext) {
  const mesh = await runControlPlaneHere(t, YAML);
  return { mesh, ...commands(mesh) };
}

test('instances are those of the registry, with what they and their callers say of them', async (t) => {
  const { mesh, explain } = await scene(t);
  const before = await explain('GET http://orders/', 'web');
  assert.equal(before.code, 1);
  assert.match(before.lines.at(-1) ?? '', /^result: 503 no-endpoint: start an instance of orders/);
  const unreachable = [{ cluster: 'orders', endpoint: 'orders-2', reason: 'connection refused' }];
  await mesh.sidecar({ account: 'orders', instance: 'orders-1' }, 15_106);
  await mesh.sidecar({ account: 'orders', instance: 'orders-2' }, 15_107);
  await mesh.sidecar({ account: 'web', instance: 'web-1' }, 15_108, undefined, saying({ unreachable }));
  await eventually(async () => {
    const { lines, code } = await explain('GET http://orders/', 'web');
    const said = lines.map((line) => line.trim());
    const one = said.find((line) => line.startsWith('- orders-1'));
    const two = said.find((line) => line.startsWith('- orders-2'));
    return (
      code === 0 &&
      one === '- orders-1 127.0.0.1:15106, 50 %' &&
      two === '- orders-2 127.0.0.1:15107, 50 %; web-1 cannot reach it: connection refused'
    );
  });
  const denied = await explain('POST http://orders/', 'web');
  assert.equal(denied.code, 1);
  assert.match(
    denied.lines.join('\n'),
    /NO: web may not call orders like this \(.*weft\.yaml:5:33 services\.orders\.allow\[0\]\)/,
  );
});

test('a past denial is found in whichever ring has it, and is asked again of what is in force now', async (t) => {
  const { mesh, decision } = await scene(t);
  const id = 'ab12cd34ef56ab12cd34ef56';
  const told = {
    ...{ id, at: Date.UTC(2026, 0, 2), rule: 'services.orders.allow[0]', method: 'POST', path: '/x' },
    ...{ peer: 'spiffe://shop.test/ns/default/sa/web', hint: 'only GET', snapshot: 'aaaaaaaaaaaaaaaa' },
  };
  await mesh.sidecar({ account: 'web', instance: 'web-1' }, 15_108, undefined, saying({}, [{ id: 'ff' }]));
  await mesh.sidecar({ account: 'orders', instance: 'orders-1' }, 15_106, undefined, saying({}, [told]));
  // An older proxy says nothing, and must not keep the others from being heard.
  await mesh.sidecar({ account: 'orders', instance: 'orders-0' }, 15_107);
  await eventually(async () => (await decision(id)).code === 0);
  const { lines } = await decision(id);
  assert.deepEqual(lines.slice(0, 2), [
    `decision ${id}: POST /x was denied by orders-1 (orders), 2026-01-02T00:00:00.000Z`,
    '  caller         spiffe://shop.test/ns/default/sa/web',
  ]);
  assert.match(
    lines.at(-1) ?? '',
    /^ {2}now {12}another configuration is in force, and denies it too: services\.orders\.allow\[0\]/,
  );
  const unknown = await decision('0123456789abcdef');
  assert.equal(unknown.code, 1);
  assert.match(unknown.lines.at(-1) ?? '', /^no proxy knows decision 0123456789abcdef/);
  await assert.rejects(decision(id, 'nobody'), (error) => error instanceof MeshError && error.code === 'usage');
  await assert.rejects(decision('../../x'), (error) => error instanceof MeshError && error.code === 'usage');
});

test('check goes from what is missing to healthy, and names what breaks later', async (t) => {
  const { mesh, check } = await scene(t);
  const empty = await check();
  assert.equal(empty.code, 1);
  assert.match(empty.lines.join('\n'), /^error {4}instances {6}orders has no instance, and is called by web/m);
  const orders = saying({});
  await mesh.sidecar({ account: 'orders', instance: 'orders-1' }, 15_106, undefined, orders);
  await mesh.sidecar({ account: 'web', instance: 'web-1' }, 15_108, undefined, saying({}));
  await eventually(async () => (await check()).lines.at(-1)?.startsWith('healthy') === true);
  // The service that nobody calls is a warning; strict makes it count.
  assert.equal((await check()).code, 0);
  const strictly = await check(true);
  assert.deepEqual([strictly.code, strictly.lines.at(-1)?.startsWith('not healthy: ')], [1, true]);
  const late = await check(false, () => Date.now() + 5_430_000);
  assert.match(
    late.lines.join('\n'),
    /^error {4}clocks {9}the clock of the control plane is 90m behind that of this machine/m,
  );
  await mesh.edit(`${YAML}nonsense: 1\n`);
  await eventually(async () => (await check()).code === 1);
  assert.match(
    (await check()).lines.join('\n'),
    /^error {4}configuration {2}the watched files are not valid, and what was before goes on: .*weft\.yaml:6:1/m,
  );
  await mesh.edit(`# mended\n${YAML}`);
  await eventually(async () => (await check()).code === 0);
});

test('a view that is refused and an app that is down are errors, and without a control plane that is the one', async (t) => {
  const { mesh, check } = await scene(t);
  await mesh.sidecar({ account: 'orders', instance: 'orders-1' }, 15_106, () =>
    Promise.resolve({ ok: false, error: { code: 'view-invalid', resource: '', ruleId: '', message: 'no such thing' } }),
  );
  const down = saying({ app: { health: 'down', reason: 'GET /healthz: 500' } });
  await mesh.sidecar({ account: 'web', instance: 'web-1' }, 15_108, undefined, down);
  await eventually(
    async () => (await check()).lines.filter((line) => /is down|refused the conf/.test(line)).length === 2,
  );
  const said = (await check()).lines.join('\n');
  assert.match(said, /^error {4}apps {11}the app of web-1 \(web\) is down: GET \/healthz: 500/m);
  assert.match(
    said,
    /^error {4}views {10}orders-1 \(orders\) refused the configuration .* no such thing \(view-invalid\)/m,
  );
  await mesh.plane.close();
  const gone = await check();
  assert.equal(gone.code, 1);
  assert.match(gone.lines[0] ?? '', /^error {4}control-plane {2}the control plane cannot be reached: none runs at/);
});

// `weft explain` beside real proxies: for requests of every kind it names the route, the cluster, the target and the refusal
// that a proxy on real sockets comes to and writes down.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import fc from 'fast-check';
import { explainRequest } from '../../core/explain/explain.ts';
import type { Explanation } from '../../core/explain/explanation.ts';
import type { Known } from '../../core/explain/known.ts';
import { readRequest } from '../../core/explain/request.ts';
import { configuredMesh, localhost } from '../support/configured-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { ask, startUpstream } from '../support/http-peers.ts';
import { knownOf } from '../support/known-config.ts';
import type { ProxyHarness } from '../support/proxy-harness.ts';
import { tcpApp, tcpClient } from '../support/tcp-peers.ts';

function explained(known: Known, text: string, from: string | null, headers: readonly string[] = []): Explanation {
  const request = readRequest(text, headers);
  assert.ok(request.ok, `${text}: ${JSON.stringify(request)}`);
  const explanation = explainRequest(known, request.value, from);
  assert.ok(explanation.ok, `${text}: ${JSON.stringify(explanation)}`);
  return explanation.value;
}

function connectionsOf(harness: ProxyHarness): readonly Readonly<Record<string, unknown>>[] {
  return harness.lines.filter(({ message }) => message === 'connection').map(({ fields }) => fields);
}

interface Case {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

const SEGMENTS = [
  '',
  'a',
  'b',
  'users',
  '7',
  'api',
  'A',
  '.',
  '..',
  '%41',
  '%2e%2e',
  '%2f',
  '%',
  '%00',
  '..;x',
  'a%20b',
];
const KNOWN = [['users', '7'], ['api', 'users', 'x'], ['b', '1'], ['a', 'b'], ['a']];
const cases = (methods: readonly string[], hosts: readonly string[]): fc.Arbitrary<Case> =>
  fc.record({
    method: fc.constantFrom(...methods),
    path: fc
      .tuple(
        fc.oneof(fc.array(fc.constantFrom(...SEGMENTS), { maxLength: 5 }), fc.constantFrom(...KNOWN)),
        fc.constantFrom('', '?v=1', '?x&v=2', '?v=%31'),
      )
      .map(([segments, query]) => `/${segments.join('/')}${query}`),
    host: fc.constantFrom(...hosts),
    headers: fc.constantFrom({}, { 'x-beta': '1' }, { 'x-beta': '2' }),
  });

const EDGE = (ports: readonly number[]): string => `version: 1
services:
  one: { endpoints: [127.0.0.1:${ports[0]}] }
  two: { endpoints: [127.0.0.1:${ports[1]}] }
  three: { endpoints: [127.0.0.1:${ports[2]}] }
edges:
  main:
    listeners: [{ port: 0, address: 127.0.0.1, hosts: [api.test, "*.wild.test"] }]
    routes:
      - { match: /a, to: one }
      - { match: POST /a/**, to: two }
      - { match: { path: /a/**, headers: { x-beta: "1" } }, to: three, rewrite: { prefix: /a, to: /z } }
      - { match: /a/*, to: one }
      - { match: { path: "/users/{id}", query: { v: "1" } }, to: three }
      - { match: "/users/{id}", to: two }
      - { match: { prefix: /api }, to: one, rewrite: { prefix: /api, to: / } }
      - { match: { prefix: /api/users, methods: [GET, PUT] }, to: { two: 1, three: 3 } }
      - { match: { path: /b/**, host: x.wild.test }, to: three }
      - { match: { path: /7/** }, to: two }
`;

test('for random requests it says what an edge does: route, cluster, target, refusal', async (t) => {
  const apps = await Promise.all(
    ['one', 'two', 'three'].map((name) =>
      startUpstream(t, (incoming, response) => response.end(`${name} ${incoming.url}`)),
    ),
  );
  const yaml = EDGE(apps.map(({ port }) => port));
  const mesh = await configuredMesh(t, yaml);
  const edge = await mesh.edge('main');
  const known = knownOf(`${yaml}mesh: { trustDomain: shop.test }\n`);
  assert.equal(known.snapshot.hash, mesh.snapshot.hash);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const asked = fc.sample(cases(['GET', 'POST', 'PUT'], ['api.test', 'API.test:80', 'x.wild.test', 'other.test']), {
    numRuns: 400,
    seed: 7,
  });
  const seen = new Set<string>();
  for (const [index, { method, path, host, headers }] of asked.entries()) {
    const answer = await ask(edge.port(), path, { method, agent, headers: { ...headers, host } });
    const line = (await edge.exchanges(index + 1))[index];
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const explanation = explained(known, `${method} http://${host.replace(':80', '')}${path}`, null, [
      ...fields,
      `host: ${host}`,
    ]);
    const what = `${method} ${host} ${path} ${fields.join()}`;
    const { refused, steps, targets } = explanation;
    assert.equal(refused?.code ?? '', line?.['code'], what);
    assert.equal(refused?.status ?? 200, answer.status, what);
    const route = steps.find(({ step, refused: no }) => step === 'route' && no === null)?.rule ?? '';
    assert.equal(route, line?.['route'], what);
    seen.add(route === '' ? (refused?.code ?? '') : route);
    if (refused !== null) continue;
    const cluster = String(line?.['cluster']);
    const target = targets.find((each) => each.cluster === cluster);
    assert.ok(target !== undefined && target.share > 0, what);
    assert.equal(answer.body, `${cluster} ${explanation.request.target}`, what);
    assert.deepEqual(
      target.endpoints?.map(({ address }) => address),
      [line?.['endpoint']],
      what,
    );
  }
  // The cases meet every route and both refusals.
  assert.equal(seen.size, 12, [...seen].join(' '));
});

const MESH = (app: number): string => `version: 1
services:
  web: { run: x, calls: [orders] }
  spy: { run: x, calls: [orders] }
  orders:
    port: ${app}
    allow:
      - { from: web, methods: [POST], paths: [/a/**] }
      - { from: web, paths: ["/users/{id}"] }
  users: { port: 9999 }
`;

test('for random calls it says what the sidecars of caller and callee do: destination, authorization, its rule', async (t) => {
  const app = await startUpstream(t, (incoming, response) => response.end(`orders ${incoming.url}`));
  const yaml = MESH(app.port);
  const mesh = await configuredMesh(t, yaml);
  const orders = await mesh.callee('orders', localhost(app.port));
  const known = knownOf(`${yaml}mesh: { trustDomain: shop.test }\n`);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const hosts = ['orders', `orders:${app.port}`, 'orders.default.svc', 'users', 'ORDERS.', 'orders:1', 'localhost'];
  let arrived = 0;
  const seen = new Set<string>();
  for (const caller of ['web', 'spy']) {
    const proxy = await mesh.caller(caller, []);
    const asked = fc.sample(cases(['GET', 'POST'], hosts), { numRuns: 150, seed: 11 });
    for (const [index, { method, path, host, headers }] of asked.entries()) {
      const answer = await ask(proxy.port('outbound'), path, { method, agent, headers: { ...headers, host } });
      const out = (await proxy.exchanges(index + 1))[index];
      const explanation = explained(known, `${method} http://${host}${path}`, caller);
      const what = `${caller} ${method} ${host} ${path}`;
      const [target] = explanation.targets;
      const refused = explanation.refused ?? target?.refused ?? null;
      assert.equal(refused?.status ?? 200, answer.status, what);
      seen.add(refused?.code ?? 'passed');
      if (target === undefined) {
        assert.equal(refused?.code, out?.['code'], what);
        continue;
      }
      assert.equal(target.cluster, out?.['cluster'], what);
      arrived += 1;
      const line = (await orders.exchanges(arrived))[arrived - 1];
      const authorization = target.steps.find(({ step }) => step === 'authorization');
      assert.equal(refused?.code ?? '', line?.['code'], what);
      assert.equal(authorization?.rule, line?.['rule'], what);
      if (refused === null) assert.equal(answer.body, `orders ${explanation.request.target}`, what);
      else assert.equal(orders.ring.find(String(line?.['decision']))?.hint, refused.hint, what);
    }
  }
  assert.deepEqual([...seen].sort(), ['bad-request', 'denied', 'egress-denied', 'passed']);
});

const BYTES = (app: number): string => `version: 1
services:
  web: { run: x, calls: [open, shut] }
  open: { port: ${app}, protocol: tcp, allow: [{ from: [web, edge-main] }] }
  shut: { port: 2, protocol: tcp, allow: [] }
edges:
  main:
    listeners:
      - { port: 0, address: 127.0.0.1, tls: passthrough }
      - { port: 0, address: 127.0.0.1, protocol: tcp, to: shut }
      - { port: 0, address: 127.0.0.1, protocol: tcp, to: open, tls: internal, hosts: [open.test] }
    routes:
      - { match: { sni: ["*.db.test", db.test] }, to: shut }
      - { match: { sni: one.db.test }, to: open }
`;

test('for connections it says what edges and sidecars do with bytes: name, cluster, authorization', async (t) => {
  const app = await tcpApp(t, (socket) => socket.end('app'));
  const yaml = BYTES(app.port);
  const mesh = await configuredMesh(t, yaml);
  const callees = {
    open: await mesh.callee('open', localhost(app.port)),
    shut: await mesh.callee('shut', localhost(2)),
  };
  const edge = await mesh.edge('main', { certificate: await mesh.authority.svid('edge-main') });
  const web = await mesh.caller('web', ['open', 'shut']);
  const known = knownOf(`${yaml}mesh: { trustDomain: shop.test }\n`);
  const tls = (listener: number, servername: string) => () =>
    tlsConnect({ ...localhost(edge.port(`edge/main/${listener}`)), servername, rejectUnauthorized: false });
  const plain = (harness: ProxyHarness, listener: string) => () => connect(localhost(harness.port(listener)));
  const table = [
    { url: 'https://db.test', proxy: edge, open: tls(0, 'db.test') },
    { url: 'https://two.db.test', proxy: edge, open: tls(0, 'two.db.test') },
    { url: 'tls://one.db.test', proxy: edge, open: tls(0, 'one.db.test') },
    { url: 'https://none.test', proxy: edge, open: tls(0, 'none.test') },
    { url: 'tls://open.test', proxy: edge, open: tls(2, 'open.test') },
    { url: 'tcp://127.0.0.1', proxy: edge, open: plain(edge, 'edge/main/1') },
    { url: `tcp://open:${app.port}`, proxy: web, open: plain(web, 'outbound/open') },
    { url: 'tcp://shut:2', proxy: web, open: plain(web, 'outbound/shut') },
  ];
  for (const { url, proxy, open } of table) {
    const before = connectionsOf(proxy).length;
    const counts = { open: connectionsOf(callees.open).length, shut: connectionsOf(callees.shut).length };
    const client = tcpClient(t, 0, open());
    await client.ended;
    const line = await eventually(() => connectionsOf(proxy)[before] ?? null);
    const { refused, targets, steps, request } = explained(known, url, proxy === web ? 'web' : null);
    assert.equal(request.caller, proxy === web ? 'web' : 'edge-main', url);
    if (refused !== null) {
      assert.equal(refused.code, line['code'], url);
      continue;
    }
    const [target] = targets;
    assert.equal(target?.cluster, line['cluster'], url);
    if (proxy === edge) assert.equal(steps.find(({ step }) => step === 'route')?.rule, line['route'], url);
    const name = target?.cluster === 'open' ? 'open' : 'shut';
    const inbound = await eventually(() => connectionsOf(callees[name])[counts[name]] ?? null);
    assert.equal(target?.steps.find(({ step }) => step === 'authorization')?.rule, inbound['rule'], url);
    assert.equal(target?.refused?.code ?? '', inbound['code'], url);
  }
});

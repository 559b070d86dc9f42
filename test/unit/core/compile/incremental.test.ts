import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { canonicalText } from '../../../../core/compile/canonical.ts';
import { sameValue } from '../../../../core/compile/share.ts';
import { compileSnapshot, type Snapshot } from '../../../../core/compile/snapshot.ts';
import { createConfigParser } from '../../../../core/config/parse.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const parse = createConfigParser();

function snapshotOf(text: string, before: Snapshot | null = null): Snapshot {
  const parsed = parse([{ name: 'weft.yaml', text }]);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const compiled = compileSnapshot(parsed.value.mesh, sha256, before);
  assert.ok(compiled.ok, JSON.stringify(compiled));
  return compiled.value;
}

const SIZE = 1_000;

function bigMesh(change: { readonly routeTimeout?: string; readonly comment?: string } = {}): string {
  const lines = [`version: 1 # ${change.comment ?? ''}`, 'services:'];
  for (let i = 0; i < SIZE; i++) {
    const calls = [1, 7, 31, 101, 499].map((step) => `s${(i + step) % SIZE}`).join(', ');
    lines.push(`  s${i}: { port: ${2_000 + i}, calls: [${calls}] }`);
  }
  lines.push('edges:', '  main:', '    listeners: [{ port: 8080 }]', '    routes:');
  for (let i = 0; i < SIZE; i++) {
    const timeout = i === 5 ? (change.routeTimeout ?? '1s') : '1s';
    lines.push(`      - { match: /s${i}/**, to: s${i}, timeout: ${timeout} }`);
  }
  return `${lines.join('\n')}\n`;
}

test('the changed route of one service makes new objects for that service and the edge, and for nothing else', (t) => {
  const before = snapshotOf(bigMesh());
  const parsed = parse([{ name: 'weft.yaml', text: bigMesh({ routeTimeout: '30s' }) }]);
  assert.ok(parsed.ok);
  const start = process.cpuUsage();
  const compiled = compileSnapshot(parsed.value.mesh, sha256, before);
  const { user, system } = process.cpuUsage(start);
  t.diagnostic(
    `a route of one of ${SIZE} services: compiled in ${((user + system) / 1_000).toFixed(1)} ms of CPU, cold`,
  );
  assert.ok(compiled.ok);
  const after = compiled.value;
  assert.notEqual(after.hash, before.hash);
  const changed = [...after.accounts].filter(([name, resources]) => resources !== before.accounts.get(name));
  assert.deepEqual(changed.map(([name]) => name).sort(), ['edge-main', 's5']);
  const changedClusters = [...after.clusters].filter(([name, cluster]) => cluster !== before.clusters.get(name));
  assert.deepEqual(changedClusters, []);
  const [table] = after.accounts.get('edge-main')?.routes ?? [];
  const [tableBefore] = before.accounts.get('edge-main')?.routes ?? [];
  const changedRoutes = table?.routes.filter((route, index) => route !== tableBefore?.routes[index]);
  assert.deepEqual(
    changedRoutes?.map(({ ruleId, timeout }) => [ruleId, timeout]),
    [['edges.main.routes[5]', 30_000]],
  );
  assert.equal(after.accounts.get('edge-main')?.listeners[0], before.accounts.get('edge-main')?.listeners[0]);
});

test('a configuration that means the same is made of the same objects', () => {
  const before = snapshotOf(bigMesh());
  const after = snapshotOf(bigMesh({ comment: 'new' }), before);
  assert.equal(after.hash, before.hash);
  for (const [name, resources] of after.accounts) assert.equal(resources, before.accounts.get(name));
});

const names = ['a', 'b', 'c', 'd', 'e'];

/** Small meshes in which nearly everything refers to something. */
const mesh = fc
  .record({
    trustDomain: fc.constantFrom('one.test', 'two.test'),
    authorization: fc.constantFrom('calls', 'explicit'),
    services: fc.array(
      fc.record({
        port: fc.integer({ min: 1, max: 3 }),
        calls: fc.subarray(names),
        timeout: fc.constantFrom(undefined, '1s', '2s'),
        allow: fc.constantFrom(undefined, [], [{ from: 'edge-main', methods: ['GET'] }]),
        protocol: fc.constantFrom('http', 'grpc'),
        versions: fc.constantFrom(undefined, { v1: {}, v2: {} }),
      }),
      { minLength: 5, maxLength: 5 },
    ),
    routes: fc.array(
      fc.record({
        to: fc.constantFrom(...names),
        match: fc.constantFrom('/x', '/y/**'),
        timeout: fc.constantFrom(undefined, '9s'),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    extra: fc.boolean(),
  })
  .map(({ trustDomain, authorization, services, routes, extra }) => {
    const own = services.map((service, index) => {
      const name = names[index] ?? '';
      return [name, { ...service, calls: service.calls.filter((each) => each !== name) }] as const;
    });
    const more = extra ? [['z', { endpoints: ['127.0.0.1:9'] }] as const] : [];
    return stringify({
      version: 1,
      mesh: { trustDomain, authorization },
      services: Object.fromEntries([...own, ...more]),
      edges: {
        main: {
          listeners: [{ port: 80 }],
          routes: routes.map(({ match, ...rest }, index) => ({ match: match.replace('/', `/${index}`), ...rest })),
        },
      },
    });
  });

test('whatever was edited, compiling upon the one before gives what compiling afresh gives', () => {
  fc.assert(
    fc.property(fc.array(mesh, { minLength: 2, maxLength: 5 }), (texts) => {
      let before: Snapshot | null = null;
      for (const text of texts) {
        const upon: Snapshot = snapshotOf(text, before);
        const afresh = snapshotOf(text);
        assert.equal(upon.hash, afresh.hash);
        assert.deepEqual(upon.accounts, afresh.accounts);
        assert.deepEqual(upon.clusters, afresh.clusters);
        assert.deepEqual(upon.staticEndpoints, afresh.staticEndpoints);
        assert.equal(canonicalText(upon.mesh), canonicalText(afresh.mesh));
        before = upon;
      }
    }),
    { numRuns: 60 },
  );
});

test('two values are the same exactly when their texts are', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
      assert.equal(sameValue(plain(a), plain(b)), canonicalText(plain(a)) === canonicalText(plain(b)));
      assert.ok(sameValue(plain(a), plain(a)));
    }),
  );
});

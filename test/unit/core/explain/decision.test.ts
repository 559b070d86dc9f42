import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decisionLines, explainDecision, readDecision } from '../../../../core/explain/decision.ts';
import { knownOf } from '../../../support/known-config.ts';

const YAML = `version: 1
mesh: { trustDomain: shop.test }
services:
  web: { port: 3000, calls: [orders, db] }
  spy: { run: x }
  orders: { port: 8080, allow: [{ from: web, methods: [GET] }] }
  db: { port: 5432, protocol: tcp, allow: [{ from: [web] }] }
`;
const KNOWN = knownOf(YAML);
const { hash } = KNOWN.snapshot;
const WHERE = { instance: 'orders-1', account: 'orders' };

const TOLD = {
  id: '5cc88fb911574b18378d74f2',
  at: 1_800_000_000_000,
  rule: 'services.orders.allow[0]',
  peer: 'spiffe://shop.test/ns/default/sa/web',
  method: 'POST',
  path: '/x',
  hint: 'services.orders.allow[0] admits web only for GET',
  snapshot: hash,
};

function linesOf(
  more: Partial<Record<keyof typeof TOLD, unknown>>,
  where = WHERE,
  known: typeof KNOWN | null = KNOWN,
): readonly string[] {
  const decision = readDecision({ ...TOLD, ...more });
  assert.ok(decision !== null);
  return decisionLines(explainDecision(known, decision, where), String).slice(1);
}

test('a denial is told with its rule, its line and what would admit it', () => {
  const decision = readDecision(TOLD);
  assert.ok(decision !== null);
  assert.deepEqual(
    decisionLines(explainDecision(KNOWN, decision, WHERE), (ms) => `at ${ms}`),
    [
      'decision 5cc88fb911574b18378d74f2: POST /x was denied by orders-1 (orders), at 1800000000000',
      '  caller         spiffe://shop.test/ns/default/sa/web',
      '  rule           services.orders.allow[0] (weft.yaml:6:33)',
      '  remedy         services.orders.allow[0] admits web only for GET',
      `  then           snapshot ${hash}, which is in force still`,
    ],
  );
});

test('where another configuration is in force it says what that would do', () => {
  const then = { snapshot: 'aaaaaaaaaaaaaaaa' };
  assert.deepEqual(linesOf({ ...then, method: 'GET' }).slice(3), [
    '  then           snapshot aaaaaaaaaaaaaaaa',
    '  now            another configuration is in force, and admits it: services.orders.allow[0] (weft.yaml:6:33)',
  ]);
  assert.equal(
    linesOf(then).at(-1),
    '  now            another configuration is in force, and denies it too: services.orders.allow[0] (weft.yaml:6:33); services.orders.allow[0] admits web only for GET on any path',
  );
  assert.equal(
    linesOf({ ...then, peer: '' }).at(-1),
    '  now            another configuration is in force, and denies it too: services.orders.allow (weft.yaml:6:25); the caller proved no identity',
  );
  const tcp = { ...then, method: 'TCP', path: '', rule: 'services.db.allow' };
  assert.match(linesOf(tcp, { instance: 'db-1', account: 'db' }).at(-1) ?? '', /admits it: services\.db\.allow\[0\]/);
});

test('an identity of another mesh is nobody, whatever it is called', () => {
  const peer = 'spiffe://other.test/ns/default/sa/web';
  const line = linesOf({ snapshot: 'aaaa', method: 'GET', peer }).at(-1) ?? '';
  assert.match(line, /denies it too: .*the caller proved no identity/);
});

test("what the caller's own proxy denied cannot be asked again: its ring does not say what was called", () => {
  const lines = linesOf({ rule: 'services.web.calls', snapshot: 'aaaa' }, { instance: 'web', account: 'web' });
  assert.equal(lines.at(-1), '  now            another configuration is in force');
  assert.equal(lines[1], '  rule           services.web.calls (weft.yaml:4:3)');
});

test('without a configuration the decision alone is told', () => {
  assert.deepEqual(linesOf({ hint: '' }, WHERE, null), [
    '  caller         spiffe://shop.test/ns/default/sa/web',
    '  rule           services.orders.allow[0]',
    `  then           snapshot ${hash}`,
  ]);
});

test('whatever a proxy tells, it is read as a decision or not at all, and nothing of it moves a cursor', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('\u001b[2J\r\n'));
  const told = fc.oneof(
    fc.anything(),
    fc.record({ id: text, at: fc.oneof(fc.double(), fc.anything()), rule: text, peer: text, path: text, hint: text }),
  );
  fc.assert(
    fc.property(told, (value) => {
      const decision = readDecision(value);
      if (decision === null) return;
      for (const line of decisionLines(explainDecision(KNOWN, decision, WHERE), String)) {
        assert.ok(!/\p{Cc}/u.test(line), JSON.stringify(line));
      }
    }),
  );
  for (const none of [null, 'x', {}, { id: 'a' }, { id: '', at: 1 }, { id: 'a', at: Number.NaN }]) {
    assert.equal(readDecision(none), null);
  }
});

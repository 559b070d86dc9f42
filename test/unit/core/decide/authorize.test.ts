import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { authorize, authorizeConnection, compileAuthorizer } from '../../../../core/decide/authorize.ts';
import { ruleId, type SpiffeId, spiffeId } from '../../../../core/model/brand.ts';
import type { AuthorizationPolicy, CompiledAllow } from '../../../../core/model/view.ts';
import { pattern } from './routes.ts';

const id = (account: string): SpiffeId => spiffeId('shop.test', 'default', account);

interface Allow {
  readonly from: readonly string[];
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
}

/** A policy of `payments`. */
function policy(callers: readonly string[], allow: readonly Allow[] | null): AuthorizationPolicy {
  const rules = allow?.map(({ from, methods = [], paths = [] }, index): CompiledAllow => {
    return {
      from: from.map(id),
      methods,
      paths: paths.map(pattern),
      ruleId: ruleId(`services.payments.allow[${index}]`),
    };
  });
  return {
    callers: callers.map((name) => ({ identity: id(name), ruleId: ruleId(`services.${name}.calls[0]`) })),
    allow: rules ?? null,
    denyRuleId: ruleId(allow === null ? 'services.payments' : 'services.payments.allow'),
  };
}

function decide(of: AuthorizationPolicy, who: string | null, method = 'GET', path = '/'): string {
  const decision = authorize(compileAuthorizer(of), who === null ? null : id(who), method, path);
  return `${decision.allowed ? 'allowed' : 'denied'} by ${decision.ruleId}${decision.hint === '' ? '' : `: ${decision.hint}`}`;
}

test('where the callee has no allow, the call line of the caller admits it', () => {
  const calls = policy(['orders'], null);
  assert.equal(decide(calls, 'orders', 'DELETE', '/x'), 'allowed by services.orders.calls[0]');
});

test('who does not call is denied, and the hint is the line to write', () => {
  const calls = policy(['orders'], null);
  assert.equal(decide(calls, 'users'), 'denied by services.payments: add `payments` to services.users.calls');
  assert.equal(
    decide(calls, 'edge-main'),
    'denied by services.payments: add a route to `payments` to edges.main.routes',
  );
});

test('who proved no identity is denied', () => {
  assert.equal(decide(policy(['orders'], null), null), 'denied by services.payments: the caller proved no identity');
});

test('where the callee has allow, a request needs both the call and a rule', () => {
  const both = policy(['orders', 'users'], [{ from: ['orders', 'web'], methods: ['POST'], paths: ['/charge'] }]);
  assert.equal(decide(both, 'orders', 'POST', '/charge'), 'allowed by services.payments.allow[0]');
  assert.equal(
    decide(both, 'users', 'POST', '/charge'),
    'denied by services.payments.allow: add `users` to a rule of services.payments.allow',
  );
  assert.equal(
    decide(both, 'web', 'POST', '/charge'),
    'denied by services.payments.allow: add `payments` to services.web.calls',
  );
  assert.equal(
    decide(both, 'job', 'POST', '/charge'),
    'denied by services.payments.allow: add `payments` to services.job.calls and `job` to a rule of services.payments.allow',
  );
});

test('a denial names the rule that came nearest and what it admits', () => {
  const rules = policy(
    ['orders'],
    [
      { from: ['orders'], methods: ['GET'], paths: ['/status', 'prefix /reports'] },
      { from: ['orders'], methods: ['POST'], paths: ['/charge'] },
    ],
  );
  assert.equal(
    decide(rules, 'orders', 'GET', '/charge'),
    'denied by services.payments.allow[1]: services.payments.allow[1] admits orders only for POST /charge',
  );
  assert.equal(
    decide(rules, 'orders', 'GET', '/other'),
    'denied by services.payments.allow[0]: services.payments.allow[0] admits orders only for GET /status, /reports (prefix)',
  );
  assert.equal(decide(rules, 'orders', 'PUT', '/other').split(':')[0], 'denied by services.payments.allow[0]');
  const open = policy(['orders'], [{ from: ['orders'], methods: ['GET', 'HEAD'] }]);
  assert.match(decide(open, 'orders', 'PUT', '/'), /only for GET, HEAD on any path$/);
  assert.match(
    decide(policy(['orders'], [{ from: ['orders'], paths: ['/a'] }]), 'orders', 'PUT', '/b'),
    /any method \/a$/,
  );
});

test('the first rule that admits is the one that is named', () => {
  const rules = policy(
    ['orders'],
    [{ from: ['orders'], paths: ['/a'] }, { from: ['orders'] }, { from: ['orders'], paths: ['/b'] }],
  );
  assert.equal(decide(rules, 'orders', 'GET', '/b'), 'allowed by services.payments.allow[1]');
});

test('an empty allow admits nobody, methods are exact, another trust domain is nobody', () => {
  assert.match(decide(policy(['orders'], []), 'orders'), /^denied by services\.payments\.allow:/);
  const rules = policy(['orders'], [{ from: ['orders'], methods: ['GET'] }]);
  assert.match(decide(rules, 'orders', 'get'), /^denied/);
  const foreign = spiffeId('evil.test', 'default', 'orders');
  assert.equal(authorize(compileAuthorizer(rules), foreign, 'GET', '/').allowed, false);
  assert.equal(authorize(compileAuthorizer(rules), `${id('orders')}/x` as SpiffeId, 'GET', '/').allowed, false);
});

const names = fc.constantFrom('orders', 'users', 'web', 'edge-main');
const anyAllow = fc.record({
  from: fc.uniqueArray(names, { minLength: 1, maxLength: 3 }),
  methods: fc.uniqueArray(fc.constantFrom('GET', 'POST'), { maxLength: 2 }),
  paths: fc.uniqueArray(fc.constantFrom('/a', '/{x}', 'prefix /a', '/a/**', '/*/b'), { maxLength: 2 }),
});
const anyPolicy = fc
  .tuple(fc.uniqueArray(names, { maxLength: 4 }), fc.option(fc.array(anyAllow, { maxLength: 4 })))
  .map(([callers, allow]) => policy(callers, allow));

test('nobody is admitted who does not call, or whom no rule names, and every denial says why', () => {
  const method = fc.constantFrom('GET', 'POST', 'PUT');
  fc.assert(
    fc.property(anyPolicy, names, method, fc.constantFrom('/', '/a', '/a/b', '/c/b'), (one, who, verb, path) => {
      const decision = authorize(compileAuthorizer(one), id(who), verb, path);
      const calls = one.callers.some(({ identity }) => identity === id(who));
      const named = one.allow?.filter((rule) => rule.from.includes(id(who))) ?? null;
      if (!calls || named?.length === 0) assert.equal(decision.allowed, false);
      if (calls && named === null) assert.equal(decision.allowed, true);
      assert.equal(decision.hint === '', decision.allowed);
      if (decision.allowed && named !== null) {
        const rule = named.find(({ ruleId: name }) => name === decision.ruleId);
        assert.ok(rule !== undefined && (rule.methods.length === 0 || rule.methods.includes(verb)));
      }
    }),
    { numRuns: 5000 },
  );
});

test('a connection of bytes is admitted by identity alone, and by no rule that is for certain methods or paths', () => {
  const admits = (of: AuthorizationPolicy, who: string | null): string => {
    const decision = authorizeConnection(compileAuthorizer(of), who === null ? null : id(who));
    return `${decision.allowed ? 'allowed' : 'denied'} by ${decision.ruleId}`;
  };
  assert.equal(admits(policy(['web'], null), 'web'), 'allowed by services.web.calls[0]');
  assert.equal(admits(policy(['web'], null), 'thief'), 'denied by services.payments');
  assert.equal(admits(policy(['web'], null), null), 'denied by services.payments');
  assert.equal(admits(policy(['web'], []), 'web'), 'denied by services.payments.allow');
  const whole = policy(['web'], [{ from: ['web'], methods: ['GET'] }, { from: ['web'] }]);
  assert.equal(admits(whole, 'web'), 'allowed by services.payments.allow[1]');
  assert.equal(
    admits(policy(['web'], [{ from: ['web'], methods: ['GET'] }]), 'web'),
    'denied by services.payments.allow[0]',
  );
  assert.equal(
    admits(policy(['web'], [{ from: ['web'], paths: ['/**'] }]), 'web'),
    'denied by services.payments.allow[0]',
  );
  assert.equal(admits(policy([], [{ from: ['web'] }]), 'web'), 'denied by services.payments.allow');
});

test('who may open a connection may make any request', () => {
  const account = fc.constantFrom('a', 'b', 'c');
  const rule = fc.record({
    from: fc.array(account, { maxLength: 2 }),
    methods: fc.array(fc.constantFrom('GET', 'POST'), { maxLength: 1 }),
    paths: fc.array(fc.constantFrom('/x', '/**'), { maxLength: 1 }),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(account),
      fc.option(fc.array(rule, { maxLength: 3 })),
      account,
      (callers, allow, who) => {
        const compiled = compileAuthorizer(policy(callers, allow));
        if (!authorizeConnection(compiled, id(who)).allowed) return;
        for (const method of ['GET', 'PURGE']) assert.ok(authorize(compiled, id(who), method, '/any').allowed);
      },
    ),
  );
});

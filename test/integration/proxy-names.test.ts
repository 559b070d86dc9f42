// Callees at loopback addresses of their own, under their own port: with real sockets, where Linux has all of 127/8.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { View } from '../../core/model/view.ts';
import { LocalPath } from '../../proxy/mode/data-path.ts';
import { ViewRunner } from '../../proxy/mode/view-runner.ts';
import { type Callee, callerView, startCallerOf } from '../support/caller-view.ts';
import { fakeTimers } from '../support/fake-timers.ts';
import { eventually } from '../support/eventually.ts';
import { ask, closedPort, startUpstream } from '../support/http-peers.ts';
import type { ProxyHarness } from '../support/proxy-harness.ts';

async function callee(t: TestContext, name: string, loopback: string, port?: number): Promise<Callee> {
  const upstream = await startUpstream(t, (_incoming, response) => response.end(name));
  return { name, loopback, port: port ?? (await closedPort()), at: upstream.port };
}

async function apply(harness: ProxyHarness, view: View): Promise<void> {
  assert.deepEqual(await harness.proxy.apply(view), { ok: true, value: undefined });
}

function names(harness: ProxyHarness): string[] {
  return harness.proxy.acceptors.map(({ name }) => name);
}

async function occupy(t: TestContext, host: string, port: number): Promise<Server> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return server;
}

test('each callee is served at its own address and its own port, also where two have the same port', async (t) => {
  const port = await closedPort();
  const [users, payments] = [
    await callee(t, 'users', '127.15.201.1', port),
    await callee(t, 'payments', '127.15.201.2', port),
  ];
  const proxy = await startCallerOf(t);
  await apply(proxy, callerView(null, [users, payments]));
  assert.equal((await ask(port, '/', { host: users.loopback })).body, 'users');
  assert.equal((await ask(port, '/', { host: payments.loopback })).body, 'payments');
  // Whatever Host says: the address is what was looked up.
  assert.equal((await ask(port, '/', { host: payments.loopback, headers: { host: 'users' } })).body, 'payments');
});

test('a port of the own service is the app’s, on every address: its callee is served by another port, and by Host', async (t) => {
  const own = await closedPort();
  const payments = await callee(t, 'payments', '127.15.202.1', own);
  const proxy = await startCallerOf(t);
  await apply(proxy, callerView(own, [payments]));
  const standIn = own < 32_768 ? own + 32_768 : own - 16_384;
  assert.equal(proxy.port('names/payments'), standIn);
  // What `weft netns` makes of a call of 127.15.202.1 on that port.
  assert.equal((await ask(standIn, '/', { host: payments.loopback })).body, 'payments');
  // The app can have it on every address, as it comes.
  await occupy(t, '0.0.0.0', own);
  // What a redirect of 127.15.202.1 to the port by Host brings.
  for (const host of ['payments', `payments:${own}`, `PAYMENTS:${own}`, '127.15.202.1', `127.15.202.1:${own}`]) {
    assert.equal((await ask(proxy.port('outbound'), '/', { headers: { host } })).body, 'payments', host);
  }
  const other = await ask(proxy.port('outbound'), '/', { headers: { host: '127.15.202.9' } });
  assert.equal(other.status, 403);
  assert.match(other.body, /^\{"error":\{"code":"egress-denied",.*NO_PROXY/);
});

test('where the app listens beside the service’s port counts as its port too', async (t) => {
  const [own, app] = [await closedPort(), await closedPort()];
  const [users, payments] = [
    await callee(t, 'users', '127.15.203.1', app),
    await callee(t, 'payments', '127.15.203.2'),
  ];
  const proxy = await startCallerOf(t, app);
  await apply(proxy, callerView(own, [users, payments]));
  assert.deepEqual(names(proxy), ['outbound', 'names/users', 'names/payments']);
  assert.equal(proxy.port('names/users'), app < 32_768 ? app + 32_768 : app - 16_384);
});

test('a callee without a port of its own has no address to be served at', async (t) => {
  const proxy = await startCallerOf(t);
  await apply(proxy, callerView(null, [{ name: 'spread', loopback: '127.15.204.1', port: 0, at: 1 }]));
  assert.deepEqual(names(proxy), ['outbound']);
});

test('of two callees at one place one is served there and the other is not, whatever a view says', async (t) => {
  const port = await closedPort();
  const [users, payments] = [
    await callee(t, 'users', '127.15.208.1', port),
    await callee(t, 'payments', '127.15.208.1', port),
  ];
  const proxy = await startCallerOf(t);
  await apply(proxy, callerView(null, [users, payments]));
  assert.deepEqual(names(proxy), ['outbound', 'names/users']);
  assert.equal((await ask(port, '/', { host: users.loopback })).body, 'users');
});

test('addresses come and go with the views, and those that stay keep their connections', async (t) => {
  const [users, payments] = [await callee(t, 'users', '127.15.205.1'), await callee(t, 'payments', '127.15.205.2')];
  const proxy = await startCallerOf(t);
  await apply(proxy, callerView(null, [users]));
  const kept = proxy.proxy.acceptors.find(({ name }) => name === 'names/users');
  await apply(proxy, callerView(null, [users, payments], 'bbbbbbbbbbbbbbbb'));
  assert.equal(
    proxy.proxy.acceptors.find(({ name }) => name === 'names/users'),
    kept,
  );
  assert.equal((await ask(payments.port, '/', { host: payments.loopback })).body, 'payments');
  await apply(proxy, callerView(null, [payments], 'cccccccccccccccc'));
  await assert.rejects(ask(users.port, '/', { host: users.loopback }), { code: 'ECONNREFUSED' });
  assert.equal((await ask(payments.port, '/', { host: payments.loopback })).body, 'payments');
});

test('an address that another program has is said once, keeps nothing else from serving, and is tried again', async (t) => {
  const [users, payments] = [await callee(t, 'users', '127.15.206.1'), await callee(t, 'payments', '127.15.206.2')];
  const intruder = await occupy(t, users.loopback, users.port);
  const proxy = await startCallerOf(t);
  const timers = fakeTimers();
  let applied = 0;
  const runner = new ViewRunner({
    path: new LocalPath(proxy.proxy, proxy.stats, null),
    clock: timers,
    onApplied: () => (applied += 1),
  });
  t.after(() => runner.close());
  assert.equal((await runner.apply(callerView(null, [users, payments]))).ok, true);
  assert.equal((await ask(payments.port, '/', { host: payments.loopback })).body, 'payments');
  assert.deepEqual(
    proxy.proxy.unbound.map(({ name, error }) => [name, error.code, error.detail]),
    [['names/users', 'address-in-use', `127.15.206.1:${users.port}`]],
  );
  timers.advance(2_000);
  await eventually(() => applied === 2);
  const warnings = proxy.lines.filter(({ level }) => level === 'warn');
  assert.deepEqual(
    warnings.map(({ message }) => message),
    [
      `names/users is not bound, trying again: the port is in use: 127.15.206.1:${users.port} (stop what listens there or choose another port)`,
    ],
  );
  // By Host it is served all along.
  assert.equal((await ask(proxy.port('outbound'), '/', { headers: { host: 'users' } })).body, 'users');
  intruder.close();
  await once(intruder, 'close');
  timers.advance(2_000);
  await eventually(() => applied === 3);
  assert.deepEqual(proxy.proxy.unbound, []);
  assert.equal((await ask(users.port, '/', { host: users.loopback })).body, 'users');
  assert.equal(timers.pending(), 0);
});

test('an address that is no longer asked for is no longer tried', async (t) => {
  const users = await callee(t, 'users', '127.15.207.1');
  await occupy(t, users.loopback, users.port);
  const proxy = await startCallerOf(t);
  const timers = fakeTimers();
  const runner = new ViewRunner({
    path: new LocalPath(proxy.proxy, proxy.stats, null),
    clock: timers,
    onApplied: () => {},
  });
  await runner.apply(callerView(null, [users]));
  assert.equal(timers.pending(), 1);
  await runner.apply(callerView(null, [], 'bbbbbbbbbbbbbbbb'));
  assert.equal(timers.pending(), 0);
  assert.deepEqual(proxy.proxy.unbound, []);
});

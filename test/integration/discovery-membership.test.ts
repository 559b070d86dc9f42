import assert from 'node:assert/strict';
import { before, test, type TestContext } from 'node:test';
import { MEMBERSHIP } from '../../core/decide/membership.ts';
import { Registry } from '../../control-plane/registry/registry.ts';
import { startDiscovery } from '../support/discovery-harness.ts';
import { eventually } from '../support/eventually.ts';
import { endpointsIn, endpointsOf, fakeProxy, UP } from '../support/fake-proxy.ts';
import { fakeTimers } from '../support/fake-timers.ts';
import { HELLO } from '../support/recording-peers.ts';
import { sampleView } from '../support/sample-view.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

/** `web` calls `orders`; only the test moves the registry's time. */
async function startMesh(t: TestContext) {
  const timers = fakeTimers();
  const said: [number, number][] = [];
  const registry = new Registry({
    policy: { ...MEMBERSHIP, grace: 2_000 },
    ...timers,
    onMassLoss: (lost, all) => said.push([lost, all]),
  });
  const discovery = await startDiscovery(authority, t, { registry });
  const offer = () => discovery.setView('web', sampleView('s1', endpointsOf(registry, 'orders')));
  discovery.setView('orders', sampleView('s1', {}));
  offer();
  registry.onChange(offer);
  const mesh = { ...discovery, authority };
  const up = async (account: string, number: number) => {
    // No two instances are in one place.
    const hello = { ...HELLO, node: { version: '0.1.0', inboundPort: 15_000 + number } };
    const proxy = await fakeProxy(t, mesh, account, { instance: `${account}-${number}`, hello });
    await proxy.ack(0, { status: UP });
    await proxy.settled();
    return proxy;
  };
  const web = await up('web', 100);
  let acknowledged = 1;
  /** What `web` calls once it has acknowledged everything, and how many views that were. */
  const seen = async () => {
    while ((await web.settled()) > acknowledged) await web.ack(acknowledged++);
    return { views: acknowledged, endpoints: endpointsIn(web.views().at(-1) ?? assert.fail())['orders'] };
  };
  return {
    timers,
    seen,
    said,
    web,
    orders: (number: number) => up('orders', number),
    /** The streams that are open, once it is so many. */
    streams: (count: number) => eventually(() => discovery.server.states().length === count),
  };
}

test('an instance whose stream flaps is no event for its callers', async (t) => {
  const { web, orders, timers, streams } = await startMesh(t);
  let proxy = await orders(1);
  await web.ack(1);
  for (let loss = 0; loss < 12; loss++) {
    proxy.close();
    await streams(1);
    timers.advance(1_500);
    proxy = await orders(1);
  }
  assert.equal(await web.settled(), 2);
  // It is waited for longer by now: ten losses would be beyond any plain grace time.
  proxy.close();
  await streams(1);
  timers.advance(59_999);
  assert.equal(await web.settled(), 2);
  timers.advance(1);
  assert.deepEqual(endpointsIn(await web.view(2)), { orders: [] });
});

test('when most instances are lost at once nobody is taken out, and those that come back change nothing', async (t) => {
  const { seen, orders, timers, streams, said } = await startMesh(t);
  const all = [await orders(1), await orders(2), await orders(3), await orders(4)];
  for (const [index, proxy] of all.entries()) {
    proxy.close();
    await streams(4 - index);
    // One after the other, as a cut network is noticed: the first is past its grace time before the third is lost.
    timers.advance(1_500);
  }
  const before = await seen();
  assert.deepEqual(before.endpoints, ['orders-1', 'orders-2', 'orders-3', 'orders-4']);
  timers.advance(200_000);
  assert.deepEqual(await seen(), before, 'nothing more is said');
  assert.deepEqual(said, [[3, 5]]);
  for (const number of [1, 2, 3]) await orders(number);
  assert.deepEqual(said[1], [0, 5]);
  timers.advance(29_999);
  assert.deepEqual(await seen(), before);
  timers.advance(1);
  assert.deepEqual((await seen()).endpoints, ['orders-1', 'orders-2', 'orders-3']);
});

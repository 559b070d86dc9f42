import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sampleEndpoint, sampleView } from '../support/sample-view.ts';
import { startAgent, startDiscovery } from '../support/discovery-harness.ts';
import { eventually } from '../support/eventually.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

test('a view reaches the proxy over mutual TLS and its ACK comes back', async (t) => {
  const discovery = await startDiscovery(authority, t);
  const view = sampleView('s1', { payments: [sampleEndpoint('payments-1')] });
  discovery.setView('orders', view);
  const { applied, agent } = startAgent(discovery.port, await authority.svid('orders', { version: 'v1' }), t);
  await eventually(() => discovery.server.states().some(({ snapshot }) => snapshot === 's1'));
  assert.deepEqual(applied, [view]);
  assert.equal(agent.state.connected, true);
  assert.equal(agent.state.snapshot, 's1');
  assert.deepEqual(discovery.registry.instances(), [
    { account: 'orders', version: 'v1', instance: 'orders-1', address: '127.0.0.1', inboundPort: 15_006 },
  ]);
});

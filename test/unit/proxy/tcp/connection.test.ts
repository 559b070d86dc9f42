import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { ruleId } from '../../../../core/model/brand.ts';
import type { ConnectionRecord, EndpointHandle } from '../../../../proxy/exchange.ts';
import { TimerWheel } from '../../../../proxy/kit/timer-wheel.ts';
import type { Tunnel } from '../../../../proxy/kit/tunnel.ts';
import { TcpConnection } from '../../../../proxy/tcp/connection.ts';
import type { TcpDownstream } from '../../../../proxy/tcp/downstream.ts';
import { eventually } from '../../../support/eventually.ts';
import { testConnection } from '../../../support/exchange-fakes.ts';
import { staticCluster } from '../../../support/proxy-harness.ts';

/** Of a client that has ended in order: there is nothing to destroy any more. */
const ENDED: Tunnel = {
  start() {},
  write: () => true,
  end() {},
  close() {},
  destroy() {},
  pause() {},
  resume() {},
};

const endpoint: EndpointHandle = {
  id: 'a',
  address: '192.0.2.1:1',
  ruleId: ruleId('services.db'),
  request: () => assert.fail('it is no HTTP'),
  connect: (done) => {
    setImmediate(() => done(null, new Socket()));
    return () => {};
  },
};

test('an idle connection is cut on both sides: an upstream that does not read must not outlive its client', async (t) => {
  const timers = new TimerWheel({ now: () => performance.now() });
  timers.start();
  t.after(() => timers.close());
  const cluster = { cluster: staticCluster('db'), pick: () => endpoint };
  const action = { ruleId: ruleId('edges.main.listeners[0]'), idleTimeout: 20, choose: () => cluster };
  const records: ConnectionRecord[] = [];
  const plan = { route: () => action, record: (record: ConnectionRecord) => void records.push(record) };
  const downstream: TcpDownstream = {
    begin: (handler) => handler.onOpening({ serverName: null, pair: null }),
    accept: () => ENDED,
    refuse: () => assert.fail('it was not refused'),
  };
  let cuts = 0;
  const splice = (_one: Tunnel, _other: Tunnel, onEnd: (end: { broken: boolean }) => void): { cut(): void } => ({
    cut: () => {
      cuts += 1;
      onEnd({ broken: true });
    },
  });
  const deps = { timers, now: () => performance.now(), splice };
  new TcpConnection(deps, plan, downstream, testConnection(), null, () => {}).start();
  await eventually(() => records.length > 0);
  assert.equal(cuts, 1);
  assert.equal(records[0]?.code, 'stream-idle');
});

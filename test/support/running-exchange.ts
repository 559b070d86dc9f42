// One exchange in a forwarder, with a client, endpoints and a clock that a test drives.
import assert from 'node:assert/strict';
import type { MeshError } from '../../core/kit/error.ts';
import { ruleId } from '../../core/model/brand.ts';
import { DEFAULT_LIMITS } from '../../core/model/listener.ts';
import type { Protocol } from '../../core/model/mesh.ts';
import type { Cluster } from '../../core/model/view.ts';
import type { DownstreamHandler, ExchangeRecord, RequestHead } from '../../proxy/exchange.ts';
import { DateSource } from '../../proxy/forward/date.ts';
import { Deadlines } from '../../proxy/forward/deadline.ts';
import { Forwarder } from '../../proxy/forward/forwarder.ts';
import type { ExchangePlan, RouteAction } from '../../proxy/forward/plan.ts';
import { TimerWheel } from '../../proxy/kit/timer-wheel.ts';
import { FakeCluster, FakeDownstream } from './exchange-fakes.ts';
import { staticCluster } from './proxy-harness.ts';

export interface RunningExchange {
  readonly downstream: FakeDownstream;
  readonly cluster: FakeCluster;
  readonly handler: DownstreamHandler;
  readonly records: ExchangeRecord[];
  /** Moves the clock; milliseconds. */
  advance(ms: number): void;
  /** The same, before any timer notices. */
  elapse(ms: number): void;
}

export interface RunOptions {
  readonly endpoints?: readonly string[];
  readonly kind?: Cluster['kind'];
  readonly protocol?: Protocol;
  readonly timeout?: number;
  readonly perTryTimeout?: number;
  readonly idleTimeout?: number;
  readonly bodySize?: number;
  readonly route?: () => RouteAction | MeshError;
}

export function runExchange(head: RequestHead, options: RunOptions = {}): RunningExchange {
  let now = 0;
  const wheel = new TimerWheel({ now: () => now });
  const cluster = new FakeCluster(
    { ...staticCluster('up'), kind: options.kind ?? 'static', protocol: options.protocol ?? 'http' },
    options.endpoints ?? ['a', 'b'],
  );
  const records: ExchangeRecord[] = [];
  const action: RouteAction = {
    ruleId: ruleId('edges.main.routes[0]'),
    timeout: options.timeout ?? 0,
    perTryTimeout: options.perTryTimeout ?? 0,
    idleTimeout: options.idleTimeout ?? null,
    choose: () => cluster,
    rewrite: (target) => target,
  };
  const plan: ExchangePlan = {
    limits: { ...DEFAULT_LIMITS, bodySize: options.bodySize ?? 0 },
    identify: (_head, record) => {
      record.requestId = 'r-1';
    },
    route: options.route ?? (() => action),
    onRequest: () => {},
    onResponse: () => {},
    onLocalAnswer: () => {},
    record: (record) => records.push(record),
  };
  const forwarder = new Forwarder(
    { deadlines: new Deadlines(wheel), now: () => now, date: new DateSource(() => 0) },
    plan,
  );
  const downstream = new FakeDownstream();
  const handler = forwarder.onRequest(downstream, head);
  return {
    downstream,
    cluster,
    handler,
    records,
    elapse: (ms) => {
      now += ms;
    },
    advance: (ms) => {
      now += ms;
      wheel.advance();
    },
  };
}

/** Exactly one record, with these values. */
export function recorded(running: RunningExchange, values: Partial<ExchangeRecord>): void {
  assert.equal(running.records.length, 1);
  const [record] = running.records;
  for (const [key, value] of Object.entries(values)) assert.equal(record?.[key as keyof ExchangeRecord], value, key);
}

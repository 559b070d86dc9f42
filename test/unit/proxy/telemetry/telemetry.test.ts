import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { ruleId, spiffeId, type SnapshotHash } from '../../../../core/model/brand.ts';
import { DecisionRing } from '../../../../proxy/telemetry/decisions.ts';
import { Denials } from '../../../../proxy/telemetry/denials.ts';
import { registerMetrics } from '../../../../proxy/telemetry/metrics.ts';
import { createRecorder } from '../../../../proxy/telemetry/recorder.ts';
import { Stats } from '../../../../proxy/telemetry/stats.ts';
import { testRecord } from '../../../support/exchange-fakes.ts';
import { recordingLog } from '../../../support/recording-log.ts';

const SNAPSHOT = 'aaaaaaaaaaaaaaaa' as SnapshotHash;

test('metrics have requests, errors, retries, bytes and a cumulative histogram per route and cluster', async () => {
  const stats = new Stats();
  const own = { route: 'r', cluster: 'up', requestBytes: 10, responseBytes: 20 };
  stats.record(testRecord({ ...own, finishedAt: 3 }));
  stats.record(testRecord({ ...own, finishedAt: 30, attempts: 2 }));
  stats.record(testRecord({ ...own, finishedAt: 20_000, status: 503, flag: 'UF', code: 'connect-failed' }));
  stats.record(testRecord({ status: 0, flag: 'DC', code: 'downstream-closed' }));
  const registry = new Registry();
  const gauge = {
    name: 'weft_open',
    help: 'Open',
    type: 'gauge',
    values: () => [{ labels: { a: 'b' }, value: 7 }],
  } as const;
  registerMetrics(registry, () => stats.series, [gauge]);
  const page = await registry.metrics();
  const labels = 'listener="edge/main/0",route="r",cluster="up"';
  for (const line of [
    '# TYPE weft_request_duration_seconds histogram',
    `weft_requests_total{${labels},status="2xx"} 2`,
    `weft_requests_total{${labels},status="5xx"} 1`,
    'weft_requests_total{listener="edge/main/0",route="",cluster="",status="none"} 1',
    `weft_request_errors_total{${labels},code="connect-failed",flag="UF"} 1`,
    `weft_request_retries_total{${labels}} 1`,
    `weft_request_bytes_total{${labels}} 30`,
    `weft_request_duration_seconds_bucket{${labels},le="0.0025"} 0`,
    `weft_request_duration_seconds_bucket{${labels},le="0.005"} 1`,
    `weft_request_duration_seconds_bucket{${labels},le="0.05"} 2`,
    `weft_request_duration_seconds_bucket{${labels},le="10"} 2`,
    `weft_request_duration_seconds_bucket{${labels},le="+Inf"} 3`,
    `weft_request_duration_seconds_count{${labels}} 3`,
    'weft_open{a="b"} 7',
  ]) {
    assert.ok(page.split('\n').includes(line), `${line}\n---\n${page}`);
  }
  assert.match(page, /weft_request_duration_seconds_sum\{.*cluster="up"\} 20\.033/);
  stats.record(testRecord(own));
  assert.match(await registry.metrics(), new RegExp(`weft_requests_total\\{${labels},status="2xx"\\} 3`));
});

test('gRPC calls are counted by their status, which an access-log line has too', async () => {
  const stats = new Stats();
  const log = recordingLog();
  const record = createRecorder({ stats, log, accessLog: true, identity: null }, SNAPSHOT);
  record(testRecord({ grpc: 'grpc', grpcStatus: 0 }));
  record(testRecord({ grpc: 'grpc', grpcStatus: 14 }));
  record(testRecord({ grpc: 'grpc-web', grpcStatus: 14 }));
  record(testRecord());
  const registry = new Registry();
  registerMetrics(registry, () => stats.series, []);
  const page = await registry.metrics();
  const counted = page.split('\n').filter((line) => line.startsWith('weft_grpc_calls_total{'));
  assert.deepEqual(
    counted.map((line) => line.replace(/\{.*(grpc_status="\d+")\}/, '{$1}')),
    ['weft_grpc_calls_total{grpc_status="0"} 1', 'weft_grpc_calls_total{grpc_status="14"} 2'],
  );
  assert.deepEqual(
    log.lines.map(({ fields }) => fields['grpcStatus']),
    [0, 14, 14, null],
  );
});

test('without an access log the first failure of each kind at an instance is a line all the same', () => {
  const log = recordingLog();
  const record = createRecorder({ stats: new Stats(), log, accessLog: false, identity: null }, SNAPSHOT);
  const detail = 'not HTTP; a call of gRPC, while the service has protocol http: write protocol: grpc';
  for (let i = 0; i < 3; i++) record(testRecord({ cluster: 'a', code: 'upstream-closed', detail, status: 502 }));
  record(testRecord({ cluster: 'b', code: 'connect-failed', status: 503 }));
  record(testRecord({ cluster: 'b', code: 'upstream-timeout', status: 504 }));
  record(testRecord({ cluster: 'b' }));
  assert.deepEqual(
    log.lines.map(({ level, fields }) => `${level} ${String(fields['cluster'])} ${String(fields['code'])}`),
    ['warn a upstream-closed', 'warn b connect-failed'],
  );
  assert.equal(log.lines[0]?.fields['detail'], detail);
});

test('series do not grow without bound: beyond the budget they are counted together', () => {
  const stats = new Stats();
  for (let i = 0; i < 5_000; i++) stats.record(testRecord({ route: `r${i}` }));
  assert.ok(stats.series.length <= 4_097);
  const other = stats.series.find(({ listener }) => listener === 'other');
  assert.equal(other?.byStatusClass[2], 5_000 - 4_096);
});

test('an access-log line has ids, identities, route, flag, rule and times, and no query', () => {
  const log = recordingLog();
  const identity = spiffeId('shop.test', 'default', 'orders');
  const record = testRecord({
    target: '/a?token=secret',
    rule: 'r1',
    route: 'r1',
    startedAt: 1,
    firstByteAt: 2.5,
    finishedAt: 4.25,
  });
  createRecorder({ stats: new Stats(), log, accessLog: true, identity }, SNAPSHOT)(record);
  const [line] = log.lines;
  assert.equal(line?.message, 'exchange');
  assert.doesNotMatch(JSON.stringify(line), /secret/);
  const { fields } = line ?? { fields: {} };
  const wanted = {
    path: '/a',
    rule: 'r1',
    identity,
    snapshot: SNAPSHOT,
    durationMs: 3.25,
    firstByteMs: 1.5,
    flag: '-',
  };
  for (const [key, value] of Object.entries(wanted)) assert.equal(fields[key], value, key);
});

test('without an access log an exchange is only counted', () => {
  const log = recordingLog();
  const stats = new Stats();
  createRecorder({ stats, log, accessLog: false, identity: null }, SNAPSHOT)(testRecord());
  assert.equal(log.lines.length, 0);
  assert.equal(stats.series[0]?.byStatusClass[2], 1);
});

test('the ring keeps the newest decisions and finds them by id', () => {
  const ring = new DecisionRing(3);
  const log = recordingLog();
  const denials = new Denials(ring, log, () => 42);
  for (const id of ['a', 'b', 'c', 'd']) {
    denials.record({ id, rule: ruleId('r'), peer: null, method: 'GET', path: '/', hint: 'h' }, SNAPSHOT);
  }
  assert.deepEqual(
    ring.list(10).map(({ id }) => id),
    ['d', 'c', 'b'],
  );
  assert.deepEqual(
    ring.list(1).map(({ id }) => id),
    ['d'],
  );
  assert.equal(ring.find('a'), null);
  assert.equal(ring.find('c')?.at, 42);
  assert.equal(log.lines.length, 4);
});

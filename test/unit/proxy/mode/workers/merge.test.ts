import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PathReport } from '../../../../../proxy/mode/data-path.ts';
import { countsOf, mergeReports } from '../../../../../proxy/mode/workers/merge.ts';
import { Stats } from '../../../../../proxy/telemetry/stats.ts';
import { testRecord } from '../../../../support/exchange-fakes.ts';

const labels = { cluster: 'up', endpoint: 'a:1' };

/** Of a thread with so many requests, and what its pool knows. */
function report(requests: number, idleLimit: number, code = ''): PathReport {
  const stats = new Stats();
  for (let i = 0; i < requests; i++) stats.record(testRecord({ code, flag: code === '' ? '-' : 'UF' }));
  const facts = {
    id: 'a',
    address: 'a:1',
    active: 1,
    idle: 2,
    pending: 3,
    idleLimit,
    opened: 4,
    failed: 5,
    overflow: 6,
    unreachable: code,
  };
  return {
    listeners: [{ name: 'edge/main/0', host: '127.0.0.1', port: 80, bytes: false, open: requests }],
    unbound: [{ name: 'names/x', reason: 'in use' }],
    clusters: { up: [facts] },
    redirects: ['1.2.3.4=127.0.0.1:5'],
    series: stats.series,
    gauges: [
      { name: 'sum', help: '', type: 'counter', values: [{ labels, value: requests }] },
      { name: 'low', help: '', type: 'gauge', merge: 'min', values: [{ labels, value: idleLimit }] },
    ],
    threads: [requests],
  };
}

test('counts are added up, limits are the lowest, and what is said twice is said once', () => {
  const merged = mergeReports([report(3, 4_000), report(5, 1_000, 'connect-failed')]);
  assert.deepEqual(merged.listeners, [{ name: 'edge/main/0', host: '127.0.0.1', port: 80, bytes: false, open: 8 }]);
  assert.deepEqual(merged.unbound, [{ name: 'names/x', reason: 'in use' }]);
  assert.deepEqual(merged.redirects, ['1.2.3.4=127.0.0.1:5']);
  assert.deepEqual(merged.threads, [3, 5]);
  const [pool] = merged.clusters['up'] ?? [];
  assert.deepEqual(
    [pool?.active, pool?.pending, pool?.idleLimit, pool?.opened, pool?.failed, pool?.overflow, pool?.unreachable],
    [2, 6, 1_000, 8, 10, 12, 'connect-failed'],
  );
  assert.equal(merged.series.length, 1);
  assert.equal(merged.series[0]?.byStatusClass[2], 8);
  assert.deepEqual(merged.series[0]?.errors, new Map([['connect-failed', { flag: 'UF', count: 5 }]]));
  assert.equal(
    merged.series[0]?.durations.reduce((sum, count) => sum + count),
    8,
  );
  assert.deepEqual(
    merged.gauges.map(({ name, values }) => [name, values]),
    [
      ['sum', [{ labels, value: 8 }]],
      ['low', [{ labels, value: 1_000 }]],
    ],
  );
});

test('of a thread that is gone its counts stay, and nothing else', () => {
  const merged = mergeReports([report(3, 4_000), countsOf(report(5, 1_000))]);
  assert.equal(merged.series[0]?.byStatusClass[2], 8);
  assert.deepEqual(merged.threads, [3]);
  assert.equal(merged.listeners[0]?.open, 3);
  assert.equal(merged.gauges.find(({ name }) => name === 'low')?.values[0]?.value, 4_000);
  assert.equal(merged.gauges.find(({ name }) => name === 'sum')?.values[0]?.value, 8);
});

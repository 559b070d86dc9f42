import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '../../../../core/kit/result.ts';
import type { Refusal } from '../../../../proxy/agent/agent.ts';
import { NO_HOLDINGS } from '../../../../proxy/agent/holdings.ts';
import { LastView } from '../../../../proxy/agent/last-view.ts';
import type { KeptView } from '../../../../proxy/agent/view-file.ts';
import { fakeTimers } from '../../../support/fake-timers.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { sampleView } from '../../../support/sample-view.ts';

const KEPT: KeptView = { view: sampleView('s1', {}), holdings: { ...NO_HOLDINGS }, confirmedAt: -60_000 };

interface Setup {
  readonly kept?: KeptView | null;
  readonly connected?: () => boolean;
  readonly apply?: () => Promise<Result<void, Refusal>>;
}

function lastView({ kept = KEPT, connected = () => false, apply }: Setup = {}) {
  const timers = fakeTimers();
  const log = recordingLog();
  const applied: string[] = [];
  const last = new LastView({
    store: { load: async () => kept, save: async () => {} },
    clock: { ...timers, random: () => 0 },
    log,
    connected,
    apply: async ({ snapshot }, origin) => {
      applied.push(`${snapshot} from ${origin}`);
      return apply === undefined ? { ok: true, value: undefined } : apply();
    },
  });
  last.begin();
  return { last, timers, log, applied };
}

const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

test('it is served when the control plane has not accepted the stream for 300 ms', async () => {
  const { last, timers, log, applied } = lastView();
  timers.advance(299);
  await settled();
  assert.deepEqual(applied, []);
  timers.advance(1);
  await settled();
  assert.deepEqual(applied, ['s1 from disk']);
  assert.equal(last.served, KEPT);
  assert.equal(last.holdings, KEPT.holdings);
  assert.deepEqual(log.lines[0]?.fields, { snapshot: 's1', ageSeconds: 60 });
});

test('one that has accepted it is given 900 ms in all', async () => {
  const { timers, applied } = lastView({ connected: () => true });
  timers.advance(899);
  await settled();
  assert.deepEqual(applied, []);
  timers.advance(1);
  await settled();
  assert.deepEqual(applied, ['s1 from disk']);
});

test('where the control plane is known to be away nothing is waited for, and it is served once', async () => {
  const { last, timers, applied } = lastView();
  await Promise.all([last.serve(), last.serve()]);
  await last.serve();
  timers.advance(1_000);
  await settled();
  assert.deepEqual(applied, ['s1 from disk']);
  assert.equal(timers.pending(), 0);
});

test('a view that is about to be applied waits only for one that is being applied already', async () => {
  const gate = Promise.withResolvers<Result<void, Refusal>>();
  const { last, timers, applied } = lastView({ apply: () => gate.promise });
  await last.hold();
  assert.equal(timers.pending(), 0);
  void last.serve();
  await settled();
  assert.equal(applied.length, 1);
  let free = false;
  void last.hold().then(() => (free = true));
  await settled();
  assert.equal(free, false);
  gate.resolve({ ok: true, value: undefined });
  await settled();
  assert.equal(free, true);
});

test('once the control plane’s own view runs it is never served', async () => {
  const { last, timers, applied } = lastView();
  last.drop();
  timers.advance(1_000);
  await last.serve();
  assert.deepEqual(applied, []);
  const other = lastView();
  await other.last.serve();
  other.last.drop();
  assert.equal(other.last.served, null);
  assert.equal(other.last.holdings, NO_HOLDINGS);
});

test('where nothing is kept there is nothing to say', async () => {
  const { last, log, applied } = lastView({ kept: null });
  await last.serve();
  assert.deepEqual([log.lines, applied, last.served], [[], [], null]);
});

test('a fault while it is applied is one line', async () => {
  const { last, log } = lastView({ apply: () => Promise.reject(new Error('no memory')) });
  await last.serve();
  assert.equal(last.served, null);
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    ['the kept view cannot be served: no memory'],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventually } from '../../../support/eventually.ts';
import { TimerWheel, WheelTimer } from '../../../../proxy/kit/timer-wheel.ts';

function harness(): { wheel: TimerWheel; fired: string[]; at(ms: number): void; timer(name: string): WheelTimer } {
  let now = 1_234.5;
  const began = now;
  const wheel = new TimerWheel({ now: () => now, tickMs: 100 });
  const fired: string[] = [];
  return {
    wheel,
    fired,
    at: (ms) => {
      now = began + ms;
      wheel.advance();
    },
    timer: (name) => new WheelTimer(() => void fired.push(name)),
  };
}

test('a timer fires once, not early and at most one tick late', () => {
  const { wheel, fired, at, timer } = harness();
  wheel.schedule(timer('a'), 1_000);
  at(999);
  assert.equal(fired.length, 0);
  at(1_100);
  assert.deepEqual(fired, ['a']);
  at(200_000);
  assert.deepEqual(fired, ['a']);
});

test('timers further away than the ring is long wait their turns', () => {
  const { wheel, fired, at, timer } = harness();
  wheel.schedule(timer('hour'), 3_600_000);
  for (let ms = 0; ms < 3_600_000; ms += 50_000) at(ms);
  assert.equal(fired.length, 0);
  at(3_600_100);
  assert.deepEqual(fired, ['hour']);
});

test('a timer can be moved, cancelled and scheduled again', () => {
  const { wheel, fired, at, timer } = harness();
  const a = timer('a');
  wheel.schedule(a, 500);
  wheel.schedule(a, 1_000);
  at(700);
  wheel.cancel(a);
  wheel.cancel(a);
  at(2_000);
  assert.equal(fired.length, 0);
  wheel.schedule(a, 500);
  at(2_700);
  assert.deepEqual(fired, ['a']);
});

test('a timer may schedule itself and cancel its neighbour while it fires', () => {
  const { wheel, fired, at, timer } = harness();
  const victim = timer('victim');
  let rounds = 0;
  const again: WheelTimer = new WheelTimer(() => {
    wheel.cancel(victim);
    if (++rounds < 3) wheel.schedule(again, 0);
  });
  wheel.schedule(again, 100);
  wheel.schedule(victim, 100);
  for (let ms = 0; ms <= 1_000; ms += 100) at(ms);
  assert.equal(rounds, 3);
  assert.equal(fired.length, 0);
});

test('after a long stall everything due fires, and nothing else', () => {
  const { wheel, fired, at, timer } = harness();
  for (const ms of [100, 5_000, 60_000, 119_000, 121_000]) wheel.schedule(timer(String(ms)), ms);
  at(120_000);
  assert.deepEqual(fired.toSorted(), ['100', '119000', '5000', '60000']);
});

test('whatever is scheduled and cancelled, timers fire when a sorted list would', () => {
  const step = fc.record({ timer: fc.nat(5), delay: fc.integer({ min: -1, max: 90_000 }), pass: fc.nat(60_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { wheel, fired, at, timer } = harness();
      const timers = [0, 1, 2, 3, 4, 5].map((id) => timer(String(id)));
      const due = new Map<number, number>();
      let now = 0;
      for (const { timer: id, delay, pass } of steps) {
        if (delay < 0) {
          wheel.cancel(timers[id] as WheelTimer);
          due.delete(id);
        } else {
          wheel.schedule(timers[id] as WheelTimer, delay);
          due.set(id, now + delay);
        }
        now += pass;
        fired.length = 0;
        at(now);
        for (const id of fired.map(Number)) {
          assert.ok((due.get(id) ?? Number.POSITIVE_INFINITY) <= now, 'fired early');
          due.delete(id);
        }
        for (const [, when] of due) assert.ok(when > now - 200, 'fired late');
      }
    }),
    { numRuns: 300 },
  );
});

test('start ticks by itself without keeping the process alive, until close', async () => {
  const wheel = new TimerWheel({ now: () => performance.now(), tickMs: 1 });
  const alive = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = alive();
  wheel.start();
  wheel.start();
  assert.equal(alive(), before);
  let fired = false;
  wheel.schedule(new WheelTimer(() => void (fired = true)), 1);
  assert.ok(await eventually(() => fired));
  wheel.close();
  wheel.close();
});

test('a timer that is put off again and again fires once, after the last time', () => {
  const { wheel, fired, at, timer } = harness();
  const idle = timer('idle');
  for (let ms = 0; ms <= 120_000; ms += 400) {
    at(ms);
    wheel.schedule(idle, 60_000);
  }
  assert.equal(fired.length, 0);
  at(179_900);
  assert.equal(fired.length, 0);
  at(180_200);
  assert.deepEqual(fired, ['idle']);
});

test('a timer at rest does not fire, and fires when it is scheduled again, sooner or later', () => {
  for (const [delay, due] of [
    [200, 500],
    [5_000, 5_300],
  ] as const) {
    const { wheel, fired, at, timer } = harness();
    const pooled = timer('pooled');
    wheel.schedule(pooled, 1_000);
    at(300);
    wheel.rest(pooled);
    wheel.schedule(pooled, delay);
    at(due - 1);
    assert.equal(fired.length, 0);
    at(due + 100);
    assert.deepEqual(fired, ['pooled']);
    wheel.schedule(pooled, 100);
    wheel.rest(pooled);
    at(60_000);
    assert.deepEqual(fired, ['pooled']);
  }
});

test('a timer that is put off by its neighbour while both are due fires later', () => {
  const { wheel, fired, at, timer } = harness();
  const late = timer('late');
  wheel.schedule(new WheelTimer(() => wheel.schedule(late, 1_000)), 100);
  wheel.schedule(late, 100);
  at(200);
  assert.equal(fired.length, 0);
  at(1_400);
  assert.deepEqual(fired, ['late']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { afterProbe, type HealthState, nextProbeIn, SOON, STARTING } from '../../../../core/decide/health.ts';
import { milliseconds } from '../../../../core/model/brand.ts';
import { DEFAULT_HEALTH, type HealthCheck } from '../../../../core/model/health.ts';

const CHECK: HealthCheck = { ...DEFAULT_HEALTH, healthy: 2, unhealthy: 3 };

function after(answers: string, check = CHECK): HealthState {
  return answers.split('').reduce((state, answer) => afterProbe(state, answer === '+', check), STARTING);
}

test('the first answer of an app is enough, however late it comes', () => {
  assert.equal(after('+').health, 'up');
  assert.equal(after('-+').health, 'up');
  assert.equal(after('--+').health, 'up');
});

test('an app that never answers is said to be down after as many failures as take one out', () => {
  assert.equal(after('--').health, 'starting');
  assert.equal(after('---').health, 'down');
});

test('failures in a row take an app out, answers in a row bring it back', () => {
  assert.equal(after('+--').health, 'up');
  assert.equal(after('+--+--').health, 'up', 'not in a row');
  assert.equal(after('+---').health, 'down');
  assert.equal(after('+---+').health, 'down');
  assert.equal(after('+---+-+').health, 'down', 'not in a row');
  assert.equal(after('+---++').health, 'up');
});

test('an app that is up is asked at its interval, every other one soon', () => {
  assert.equal(nextProbeIn(after('+'), CHECK), 5_000);
  for (const answers of ['', '-', '---', '+-', '+---+'])
    assert.equal(nextProbeIn(after(answers), CHECK), SOON, answers);
  assert.equal(nextProbeIn(after('-'), { ...CHECK, interval: milliseconds(100) }), 100);
});

test('it is up if and only if the last decisive row of answers was one of successes', () => {
  const times = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), times, times, (answers, healthy, unhealthy) => {
      const check = { ...DEFAULT_HEALTH, healthy, unhealthy };
      let state = STARTING;
      let [row, of, up] = [0, false, false];
      let decided = false;
      for (const answer of answers) {
        state = afterProbe(state, answer, check);
        row = answer === of ? row + 1 : 1;
        of = answer;
        if (answer && (row >= healthy || !decided)) up = true;
        if (!answer && row >= unhealthy) up = false;
        decided ||= up || row >= unhealthy;
        assert.equal(state.health === 'up', up);
      }
    }),
  );
});

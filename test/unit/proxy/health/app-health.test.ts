import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_HEALTH } from '../../../../core/model/health.ts';
import { AppHealth } from '../../../../proxy/health/app-health.ts';
import type { ProbeTarget } from '../../../../proxy/health/probe.ts';
import { fakeTimers } from '../../../support/fake-timers.ts';
import { recordingLog } from '../../../support/recording-log.ts';

const TARGET: ProbeTarget = { address: { host: '127.0.0.1', port: 8080 }, protocol: 'http', check: DEFAULT_HEALTH };
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

function setUp() {
  const timers = fakeTimers();
  const log = recordingLog();
  const app = { answer: '', asked: 0, changes: 0 };
  const health = new AppHealth({
    probe: async () => {
      app.asked += 1;
      return app.answer;
    },
    after: timers.after,
    log,
    onChange: () => {
      app.changes += 1;
    },
  });
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 500) {
      timers.advance(500);
      await settled();
    }
  };
  return { health, app, timers, log, pass };
}

test('without a target there is nothing to say and nobody is asked', async () => {
  const { health, app } = setUp();
  await health.follow(null);
  assert.equal(health.facts, null);
  assert.equal(app.asked, 0);
});

test('what is followed has been asked once when that is done', async () => {
  const { health } = setUp();
  await health.follow(TARGET);
  assert.deepEqual(health.facts, { health: 'up', reason: '' });
});

test('an app that starts after its sidecar is up with its first answer, at the next question', async () => {
  const { health, app, pass, log } = setUp();
  app.answer = 'nobody listens';
  await health.follow(TARGET);
  assert.deepEqual(health.facts, { health: 'down', reason: '127.0.0.1:8080: nobody listens' });
  assert.deepEqual(log.lines, [], 'it may be starting');
  app.answer = '';
  await pass(500);
  assert.equal(health.facts?.health, 'up');
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    ['the app answers'],
  );
});

test('an app that stays away is one line, and so is its return', async () => {
  const { health, app, pass, log } = setUp();
  app.answer = 'nobody listens';
  await health.follow(TARGET);
  await pass(20_000);
  app.answer = '';
  await pass(500);
  assert.deepEqual(
    log.lines.map(({ level, message }) => `${level} ${message}`),
    ['info the app does not answer yet: nobody listens', 'info the app answers'],
  );
  app.answer = 'nobody listens';
  await pass(20_000);
  assert.deepEqual(
    log.lines.slice(2).map(({ level, message }) => `${level} ${message}`),
    ['warn the app does not answer: nobody listens'],
  );
});

test('one failure is nothing, three in a row take the app out, and each change is told once', async () => {
  const { health, app, pass } = setUp();
  await health.follow(TARGET);
  const { changes } = app;
  app.answer = '/ answered with 503';
  await pass(5_000);
  assert.equal(health.facts?.health, 'up');
  await pass(1_000);
  assert.deepEqual(health.facts, { health: 'down', reason: '127.0.0.1:8080: / answered with 503' });
  assert.equal(app.changes, changes + 1);
  await pass(10_000);
  assert.equal(app.changes, changes + 1);
});

test('the same target is not asked anew, another one is', async () => {
  const { health, app } = setUp();
  await health.follow(TARGET);
  await health.follow({ ...TARGET, check: { ...DEFAULT_HEALTH } });
  assert.equal(app.asked, 1);
  await health.follow({ ...TARGET, check: { ...DEFAULT_HEALTH, path: '/healthz' } });
  assert.equal(app.asked, 2);
  assert.equal(health.facts?.health, 'up', 'what was up does not go down for being asked otherwise');
});

test('a first answer that takes long is not waited for', async () => {
  const timers = fakeTimers();
  const never = new Promise<string>(() => {});
  const health = new AppHealth({ probe: () => never, after: timers.after, log: recordingLog(), onChange: () => {} });
  const followed = health.follow(TARGET);
  timers.advance(300);
  await followed;
  assert.deepEqual(health.facts, { health: 'down', reason: '127.0.0.1:8080: not asked yet' });
});

test('what an app that is not meant any more answers late counts for nothing', async () => {
  const timers = fakeTimers();
  const answers: ((reason: string) => void)[] = [];
  const health = new AppHealth({
    probe: () => new Promise((answer) => answers.push(answer)),
    after: timers.after,
    log: recordingLog(),
    onChange: () => {},
  });
  const first = health.follow(TARGET);
  const second = health.follow({ ...TARGET, address: { host: '127.0.0.1', port: 9 } });
  answers[1]?.('nobody listens');
  await second;
  answers[0]?.('');
  await settled();
  assert.deepEqual(health.facts, { health: 'down', reason: '127.0.0.1:9: nobody listens' });
  timers.advance(250);
  assert.equal(answers.length, 3, 'one is asked, and no other');
  await first;
});

test('when it is closed nothing waits, and what is under way changes nothing', async () => {
  const { health, app, timers } = setUp();
  await health.follow(TARGET);
  health.close();
  assert.equal(timers.pending(), 0);
  app.answer = 'nobody listens';
  assert.equal(await health.isGone(), true);
});

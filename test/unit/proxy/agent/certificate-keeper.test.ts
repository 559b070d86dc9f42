import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshError } from '../../../../core/kit/error.ts';
import type { AgentClock } from '../../../../proxy/agent/agent.ts';
import { CertificateKeeper } from '../../../../proxy/agent/certificate-keeper.ts';
import { recordingLog } from '../../../support/recording-log.ts';

const HOUR = 3_600_000;

interface Certificate {
  readonly serial: number;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A clock that jumps to its one timer, runs it and lets what it began come to rest. */
function steppingClock() {
  let now = 0;
  let timer: { at: number; run: () => void } | null = null;
  const clock: AgentClock = {
    now: () => now,
    after: (ms, run) => {
      const mine = { at: now + ms, run };
      timer = mine;
      return () => {
        if (timer === mine) timer = null;
      };
    },
    random: () => 0.5,
  };
  return {
    ...clock,
    pending: () => timer !== null,
    async step(): Promise<number> {
      if (timer === null) throw new Error('no timer is set');
      const { at, run } = timer;
      timer = null;
      now = at;
      run();
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      return now;
    },
  };
}

function kept(answers: readonly ('ok' | 'fails')[]) {
  const clock = steppingClock();
  const log = recordingLog();
  const renewed: Certificate[] = [];
  let asked = 0;
  const keeper = new CertificateKeeper<Certificate>({
    name: 'SVID',
    first: { serial: 0, notBefore: 0, notAfter: 72 * HOUR },
    renew: async (current) => {
      const answer = answers[Math.min(asked, answers.length - 1)];
      asked += 1;
      if (answer === 'fails') throw new MeshError('control-plane-unreachable');
      return { serial: current.serial + 1, notBefore: clock.now(), notAfter: clock.now() + 72 * HOUR };
    },
    onRenewal: (certificate) => renewed.push(certificate),
    log,
    clock,
  });
  return { keeper, clock, log, renewed };
}

test('it renews at a third of the life, again and again', async () => {
  const { keeper, clock, renewed } = kept(['ok']);
  keeper.start();
  assert.equal(await clock.step(), 24 * HOUR);
  assert.equal(await clock.step(), 48 * HOUR);
  assert.deepEqual(
    renewed.map(({ serial }) => serial),
    [1, 2],
  );
  assert.equal(keeper.current.serial, 2);
});

test('a control plane that is away is asked again, more and more seldom, and complained about once', async () => {
  const { keeper, clock, log, renewed } = kept(['fails', 'fails', 'fails', 'ok']);
  keeper.start();
  const first = await clock.step();
  const waits = [await clock.step(), await clock.step(), await clock.step()].map((at) => at - first);
  assert.deepEqual(waits, [1_000, 3_000, 7_000]);
  assert.equal(renewed.length, 1);
  assert.deepEqual(
    log.lines.map(({ level, message }) => `${level} ${message}`),
    ['warn SVID cannot be renewed yet', 'info SVID renewed'],
  );
});

test('past its end it says so once, with the remedy, and still goes on trying', async () => {
  const { keeper, clock, log } = kept(['fails']);
  keeper.start();
  while (clock.now() < 73 * HOUR) await clock.step();
  const errors = log.lines.filter(({ level }) => level === 'error');
  assert.equal(errors.length, 1);
  assert.match(errors[0]?.message ?? '', /expired.*join again with a new token/);
  assert.equal(clock.pending(), true);
});

test('closed, it asks no more', async () => {
  const { keeper, clock } = kept(['ok']);
  keeper.start();
  keeper.close();
  assert.equal(clock.pending(), false);
  keeper.renewNow();
  assert.equal(clock.pending(), false);
});

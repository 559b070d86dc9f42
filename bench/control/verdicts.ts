// What the control plane has to keep to, and whether it does.
import type { CompileCost } from './compile.ts';
import type { Outcome } from './scenario.ts';

export interface Verdict {
  readonly says: string;
  readonly bound: string;
  /** null: not measured. */
  readonly found: string | null;
  readonly met: boolean;
}

/** What is judged: 2,000 proxies and the edge, 1,000 services. */
export const JUDGED_SERVICES = 1_000;
export const SMALL_SERVICES = 50;
export const MOST_SERVICES = 10_000;

const MEMORY_MIB = 500;
const ARRIVAL_MS = 500;
const RECOMPILE_MS = 20;
const RESTART_MS = 30_000;
const COMPILE_MS = 5_000;
/** A change that as many hear may cost so much more in a mesh that is twenty times larger. */
const GROWTH = 2;
/** Instances that move are in the registry twice within a second, and some hear of the first change alone. */
const UNASKED = 1.02;

export function verdictsOf(outcomes: readonly Outcome[], compiled: readonly CompileCost[]): readonly Verdict[] {
  const judged = outcomes.find(({ services }) => services === JUDGED_SERVICES);
  const small = outcomes.find(({ services }) => services === SMALL_SERVICES);
  const edited = compiled.find(({ services }) => services === JUDGED_SERVICES);
  const most = compiled.find(({ services }) => services === MOST_SERVICES);
  const missing = judged === undefined ? 0 : judged.mixed.missing + judged.few.missing;
  const growth = (judged?.few.cpuPerChange ?? Number.NaN) / (small?.few.cpuPerChange ?? Number.NaN);
  const unasked = Math.max(judged?.mixed.responsesPerDelivery ?? Number.NaN, judged?.few.responsesPerDelivery ?? 0);
  return [
    verdict('RSS, at most', `≤ ${MEMORY_MIB} MiB`, judged && `${judged.peakMiB.toFixed(0)} MiB`, () =>
      atMost(judged?.peakMiB, MEMORY_MIB),
    ),
    verdict(
      'an endpoint change at every subscriber, p99',
      `≤ ${ARRIVAL_MS} ms, none missing`,
      judged && `${judged.mixed.p99.toFixed(0)} ms, ${missing} missing`,
      () => atMost(judged?.mixed.p99, ARRIVAL_MS) && missing === 0,
    ),
    verdict(
      'CPU of a change that few hear, against 100 proxies',
      `≤ ${GROWTH}×`,
      judged && small && `${growth.toFixed(2)}× (${judged.few.cpuPerChange.toFixed(1)} ms)`,
      () => atMost(growth, GROWTH),
    ),
    verdict('responses for each subscriber of a change', `≤ ${UNASKED}`, judged && unasked.toFixed(3), () =>
      atMost(unasked, UNASKED),
    ),
    verdict('a changed route of one service, recompiled', `≤ ${RECOMPILE_MS} ms`, edited && ms(edited.routeMs), () =>
      atMost(edited?.routeMs, RECOMPILE_MS),
    ),
    verdict(
      'SIGKILL and start, until all are current',
      `≤ ${RESTART_MS / 1_000} s, no bodies`,
      judged && restartOf(judged),
      () => atMost(judged?.restartMs, RESTART_MS) && judged?.restartBodies === 0,
    ),
    verdict(
      `${MOST_SERVICES.toLocaleString('en')} services, read and compiled`,
      `≤ ${COMPILE_MS / 1_000} s`,
      most && `${((most.readMs + most.compileMs) / 1_000).toFixed(1)} s`,
      () => atMost(most && most.readMs + most.compileMs, COMPILE_MS),
    ),
  ];
}

function restartOf({ restartMs, restartBodies }: Outcome): string {
  const when = Number.isFinite(restartMs) ? `${(restartMs / 1_000).toFixed(1)} s` : 'never';
  return `${when}, ${restartBodies} bodies`;
}

function verdict(says: string, bound: string, found: string | undefined, met: () => boolean): Verdict {
  return { says, bound, found: found ?? null, met: found !== undefined && met() };
}

function atMost(value: number | undefined, limit: number): boolean {
  return value !== undefined && value <= limit;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

/** The last line that is printed. */
export function lastLine(verdicts: readonly Verdict[]): string {
  const failed = verdicts.filter(({ met }) => !met);
  const shown = (failed.length === 0 ? verdicts : failed).map(
    ({ says, bound, found }) => `${says}: ${found ?? 'not measured'} (${bound})`,
  );
  return `${failed.length === 0 ? 'pass' : 'FAIL'}: ${shown.join('; ')}`;
}

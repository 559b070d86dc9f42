// What a proxy waits for while it leaves, each wait bounded and ended by a second signal.
import type { Log } from '../../core/kit/log.ts';
import type { AppHealth } from '../health/app-health.ts';

/** Between two looks whether the app has ended, in ms. */
const LOOK_EVERY = 100;

/** Resolves when nobody listens where the app did, after `cap` ms, or at once where there is no app to ask. */
export async function untilGone(
  app: Pick<AppHealth, 'facts' | 'isGone'>,
  cap: number,
  log: Log,
  now: AbortSignal,
): Promise<void> {
  const late = performance.now() + cap;
  for (let looks = 0; app.facts !== null && !now.aborted && performance.now() < late; looks++) {
    if (await app.isGone()) return;
    if (looks === 0) log.info({}, 'the app may call others until it ends');
    await pause(LOOK_EVERY, now);
  }
}

/** undefined where the signal came first. */
export async function unlessAborted<T>(work: Promise<T> | undefined, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  const aborted = Promise.withResolvers<undefined>();
  const abort = (): void => aborted.resolve(undefined);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Ends early when the signal comes. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((done) => {
    timer = setTimeout(done, ms);
  });
  await unlessAborted(passed, signal);
  clearTimeout(timer);
}

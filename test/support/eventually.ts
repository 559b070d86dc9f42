// Waits for something to become true, by asking again until a deadline; never a fixed sleep.
import { setTimeout as delay } from 'node:timers/promises';

/** Returns what `probe` returns once it neither throws nor returns a falsy value; else throws after `timeout` ms. */
export async function eventually<T>(probe: () => T | Promise<T>, timeout = 10_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeout;
  for (;;) {
    let failure: unknown = new Error('the condition never held');
    try {
      const value = await probe();
      if (value) return value as NonNullable<T>;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) throw failure;
    await delay(20);
  }
}

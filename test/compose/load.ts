// Steady, gentle GETs through the edge; remembers what was not a 200.
import { setTimeout as delay } from 'node:timers/promises';
import type { ShopProject } from './shop-project.ts';

const LOOPS = 4;
const PAUSE = 10;
/** More say nothing new. */
const SHOWN = 20;

export class Load {
  done = 0;
  readonly #failures: string[] = [];
  readonly #loops: Promise<void>[];
  #stopped = false;

  constructor(shop: ShopProject, path: string) {
    this.#loops = Array.from({ length: LOOPS }, () => this.#loop(shop, path));
  }

  /** Ends it; what failed, with its status or error. */
  async stop(): Promise<readonly string[]> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    return this.#failures;
  }

  async #loop(shop: ShopProject, path: string): Promise<void> {
    while (!this.#stopped) {
      const began = performance.now();
      try {
        const { status, body } = await shop.call('GET', path, undefined, 30_000);
        if (status !== 200) this.#fail(began, `${status} ${JSON.stringify(body)}`);
      } catch (error) {
        this.#fail(began, String(error));
      }
      this.done += 1;
      await delay(PAUSE);
    }
  }

  #fail(began: number, what: string): void {
    if (this.#failures.length < SHOWN) this.#failures.push(`${what} after ${Math.round(performance.now() - began)} ms`);
  }
}

// One worker as the process sees it: started, called, and started again when it dies, for as long as it is wanted.
import { Worker } from 'node:worker_threads';
import { backoffDelay } from '../../../core/kit/backoff.ts';
import { describeError, MeshError } from '../../../core/kit/error.ts';
import type { Log } from '../../../core/kit/log.ts';
import { Calls, type Handlers } from './calls.ts';
import type { ProcessMethods, WorkerData, WorkerMethods } from './contract.ts';

export interface WorkerHandleOptions {
  /** From 1. */
  readonly number: number;
  /** The program's main module, which finds that it is a worker. */
  readonly entry: string;
  /** As it is now: a later start gets the renewed identity. */
  data(): WorkerData;
  readonly handlers: Handlers<ProcessMethods>;
  readonly log: Log;
  /** It died. */
  onGone(worker: WorkerHandle): void;
  /** Brings one that was started again to where its siblings are. */
  resume(worker: WorkerHandle): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

const RESTART = { base: 200, cap: 5_000 };
/** One that lived for so long did not die of its start; ms. */
const SETTLED = 10_000;

export type WorkerCalls = Calls<ProcessMethods, WorkerMethods>;

export class WorkerHandle {
  readonly #options: WorkerHandleOptions;
  #worker: Worker | null = null;
  #calls: WorkerCalls | null = null;
  #restart: NodeJS.Timeout | null = null;
  #failures = 0;
  #startedAt = 0;
  #closed = false;

  constructor(options: WorkerHandleOptions) {
    this.#options = options;
  }

  /** Null while it is dead. */
  get calls(): WorkerCalls | null {
    return this.#calls;
  }

  start(): void {
    const { number, entry, data, handlers } = this.#options;
    const worker = new Worker(entry, { name: `weft-worker-${number}`, argv: [], workerData: data() });
    const calls: WorkerCalls = new Calls(worker, handlers);
    this.#worker = worker;
    this.#calls = calls;
    this.#startedAt = performance.now();
    calls.start();
    worker.on('error', (error) => this.#say(`failed: ${describeError(error)}`));
    worker.on('exit', () => this.#gone(worker, calls));
  }

  /** Ends it now. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#calls?.close(new MeshError('draining'));
    await this.#worker?.terminate();
  }

  #gone(worker: Worker, calls: WorkerCalls): void {
    calls.close(new MeshError('internal', { detail: 'a worker thread ended' }));
    if (this.#closed || worker !== this.#worker) return;
    this.#worker = null;
    this.#calls = null;
    this.#options.onGone(this);
    if (performance.now() - this.#startedAt > SETTLED) this.#failures = 0;
    // At least half of the ceiling: whatever it died of may still be there.
    const delay = backoffDelay(RESTART, this.#failures++, 0.5 + this.#options.random() / 2);
    this.#say(`ended, starting again in ${delay} ms`);
    this.#restart = setTimeout(() => void this.#startAgain(), delay);
  }

  async #startAgain(): Promise<void> {
    this.start();
    try {
      await this.#options.resume(this);
      this.#options.log.info({ worker: this.#options.number }, 'worker serves again');
    } catch (error) {
      this.#say(`did not come back: ${describeError(error)}`);
      // Its end leads to the next try.
      await this.#worker?.terminate();
    }
  }

  #say(what: string): void {
    if (this.#closed) return;
    this.#options.log.error({ worker: this.#options.number }, `worker ${this.#options.number} ${what}`);
  }
}

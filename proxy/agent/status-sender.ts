// Tells the control plane how this proxy is: beside the first ACK of a stream, or with the first message of one that comes
// back with a view, then as `core/decide/status-timing` says.
import { statusDelay, type SentStatus } from '../../core/decide/status-timing.ts';
import type { ProxyStatus } from '../../proto/gen/weft/v1/ProxyStatus.ts';
import type { AgentClock } from './agent.ts';
import { type FactSource, type ProxyFacts, type StatusContext, statusOf, wordsOf } from './proxy-facts.ts';

export interface StatusSenderOptions {
  readonly source: FactSource;
  readonly clock: AgentClock;
  readonly context: () => Pick<StatusContext, 'snapshot' | 'origin' | 'age' | 'draining'>;
  /** On the open stream; called between `began` and `lost` alone. */
  readonly send: (status: ProxyStatus) => void;
}

/** What changes without an event is looked at so often, in ms. */
const LOOK_EVERY = 5_000;

export class StatusSender {
  readonly #options: StatusSenderOptions;
  #last: SentStatus | null = null;
  /** When requests were counted last, and how many there were. */
  #counted = { at: 0, requests: 0 };
  #open = false;
  #cancelDue: () => void = () => {};
  #cancelLook: () => void = () => {};

  constructor(options: StatusSenderOptions) {
    this.#options = options;
  }

  /** The control plane has heard on this stream that a view runs here. */
  get open(): boolean {
    return this.#open;
  }

  /** For the message that says for the first time on this stream that a view runs; null: it was said. */
  first(): ProxyStatus | null {
    if (this.#open) return null;
    this.#open = true;
    this.#look();
    return this.#take();
  }

  /** The stream is over; the next one hears all of it anew. */
  lost(): void {
    this.#open = false;
    this.#last = null;
    this.#cancelDue();
    this.#cancelLook();
  }

  /** Something may have changed. */
  changed(): void {
    if (!this.#open) return;
    this.#cancelDue();
    const { source, clock, send } = this.#options;
    const now = clock.now();
    const delay = statusDelay(this.#last, wordsOf(this.#status(source.read(), now)), now);
    if (delay === null) return;
    if (delay > 0) this.#cancelDue = clock.after(delay, () => this.changed());
    else send(this.#take());
  }

  #look(): void {
    this.#cancelLook = this.#options.clock.after(LOOK_EVERY, () => {
      void this.#options.source.refresh().then(() => {
        if (!this.#open) return;
        this.#look();
        this.changed();
      });
    });
  }

  #take(): ProxyStatus {
    const { clock, source } = this.#options;
    const at = clock.now();
    const facts = source.read();
    const status = this.#status(facts, at);
    this.#last = { at, words: wordsOf(status), jitter: clock.random() };
    this.#counted = { at, requests: facts.requests };
    return status;
  }

  #status(facts: ProxyFacts, now: number): ProxyStatus {
    const seconds = (now - this.#counted.at) / 1_000;
    const rate = this.#last === null || seconds <= 0 ? 0 : (facts.requests - this.#counted.requests) / seconds;
    // One decimal, and never less than nothing: what a thread counted dies with it.
    const requestsPerSecond = Math.max(0, Math.round(rate * 10) / 10);
    return statusOf(facts, { ...this.#options.context(), requestsPerSecond, now });
  }
}

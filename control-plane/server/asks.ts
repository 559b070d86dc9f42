// Questions to one proxy about what it has decided, and its answers: bounded in number, time and size.
import { err, ok, type Result } from '../../core/kit/result.ts';
import type { DecisionsAnswer__Output } from '../../proto/gen/weft/v1/DecisionsAnswer.ts';
import type { DecisionsQuery } from '../../proto/gen/weft/v1/DecisionsQuery.ts';

export interface AskQuery {
  /** Of one request; '': the newest ones. */
  readonly requestId: string;
  /** 1–1,000. */
  readonly limit: number;
}

/** One decision, as the proxy's admin socket gives it. */
export type Decision = Readonly<Record<string, unknown>>;
export type AskAnswer = Result<readonly Decision[], string>;

export interface AsksOptions {
  readonly send: (query: DecisionsQuery) => void;
  /** Calls once after `ms`; the returned function cancels. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

/** How long a proxy has to answer, ms. */
const TIMEOUT = 2_000;
/** Questions without an answer: a proxy that reads nothing piles up no more. */
const MOST_OPEN = 4;
const MOST_DECISIONS = 1_000;
/** Of one decision, in UTF-16 units; a request has a bounded head, so there is no longer one. */
const MOST_TEXT = 64 * 1024;

export class Asks {
  readonly #options: AsksOptions;
  readonly #open = new Map<string, { readonly limit: number; readonly settle: (answer: AskAnswer) => void }>();
  #asked = 0;

  constructor(options: AsksOptions) {
    this.#options = options;
  }

  /** Never rejects; the error is in words. */
  ask({ requestId, limit }: AskQuery): Promise<AskAnswer> {
    if (this.#open.size >= MOST_OPEN) return Promise.resolve(err('it has not answered earlier questions'));
    const ask = `${++this.#asked}`;
    const most = Math.min(Math.max(1, Math.trunc(limit) || 1), MOST_DECISIONS);
    return new Promise((done) => {
      const cancel = this.#options.after(TIMEOUT, () => settle(err(`no answer within ${TIMEOUT / 1_000} s`)));
      const settle = (answer: AskAnswer) => {
        cancel();
        this.#open.delete(ask);
        done(answer);
      };
      this.#open.set(ask, { limit: most, settle });
      this.#options.send({ ask, requestId, limit: most });
    });
  }

  /** An answer that nobody waits for is ignored. */
  answer({ ask, decisions }: DecisionsAnswer__Output): void {
    const open = this.#open.get(ask);
    open?.settle(ok(decisions.slice(0, open.limit).flatMap(readDecision)));
  }

  /** The stream is over. */
  end(): void {
    for (const { settle } of [...this.#open.values()]) settle(err('its stream was lost'));
  }
}

/** None where it is no JSON object. */
function readDecision(text: string): Decision[] {
  if (text.length > MOST_TEXT) return [];
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? [Object.fromEntries(Object.entries(value))]
      : [];
  } catch {
    return [];
  }
}

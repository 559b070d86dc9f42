// Calls between the thread of the process and a worker, both ways, over one message port. Both ends are this program, so
// what comes is taken for what it says it is; an error arrives as the MeshError that it was.
import type { ErrorCode } from '../../../core/kit/error-table.ts';
import { MeshError } from '../../../core/kit/error.ts';

/** What `worker_threads` gives either side. */
export interface CallPort {
  postMessage(value: unknown): void;
  on(event: 'message', listener: (value: Message) => void): unknown;
}

/** Name → what it is called with and what it gives. */
export type Methods<M> = { readonly [N in keyof M]: { readonly ask: unknown; readonly answer: unknown } };

export type Handlers<M extends Methods<M>> = {
  readonly [N in keyof M]: (ask: M[N]['ask']) => M[N]['answer'] | Promise<M[N]['answer']>;
};

export type Message =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly ask: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure };

type Handler = (ask: unknown) => unknown;

interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly hint: string;
}

interface Waiting {
  done(answer: unknown): void;
  fail(error: MeshError): void;
}

/** `Own`: what is called here; `Other`: what is called over there. */
export class Calls<Own extends Methods<Own>, Other extends Methods<Other>> {
  readonly #port: CallPort;
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #closed: MeshError | null = null;

  constructor(port: CallPort, handlers: Handlers<Own>) {
    this.#port = port;
    // The other end is this program too: it asks for each by its name, with what belongs to that.
    this.#handlers = new Map(Object.entries<Handler>(handlers as Readonly<Record<string, Handler>>));
  }

  start(): void {
    this.#port.on('message', (message) => this.#take(message));
  }

  /** Rejects with a MeshError. */
  call<N extends keyof Other & string>(name: N, ask: Other[N]['ask']): Promise<Other[N]['answer']> {
    const closed = this.#closed;
    if (closed !== null) return Promise.reject(closed);
    const id = this.#next++;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail });
      this.#port.postMessage({ kind: 'call', id, name, ask } satisfies Message);
    });
  }

  /** Nobody answers any more. */
  close(error: MeshError): void {
    this.#closed = error;
    for (const waiting of this.#waiting.values()) waiting.fail(error);
    this.#waiting.clear();
  }

  #take(message: Message): void {
    if (message.kind === 'call') {
      void this.#answer(message.id, message.name, message.ask);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'answer') waiting?.done(message.answer);
    else waiting?.fail(new MeshError(message.failure.code, message.failure));
  }

  async #answer(id: number, name: string, ask: unknown): Promise<void> {
    let reply: Message;
    try {
      const handler = this.#handlers.get(name);
      if (handler === undefined) throw new MeshError('internal', { detail: `no call ${name}` });
      reply = { kind: 'answer', id, answer: await handler(ask) };
    } catch (error) {
      reply = { kind: 'failure', id, failure: failureOf(error) };
    }
    if (this.#closed === null) this.#port.postMessage(reply);
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof MeshError) return { code: error.code, detail: error.detail, hint: error.hint };
  return { code: 'internal', detail: error instanceof Error ? error.message : String(error), hint: '' };
}

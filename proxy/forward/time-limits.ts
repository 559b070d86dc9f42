// How long an exchange may wait, in one timer: for the whole answer, for the beginning of one try's answer, for any
// byte at all, and for as long as the caller of a gRPC call gave it.
import { STREAM_IDLE, streamIdle, tunnelIdle } from '../../core/decide/time-limits.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { Deadline, DeadlineOwner, Deadlines } from './deadline.ts';
import type { CallDeadline } from './grpc-call.ts';
import type { RouteAction } from './plan.ts';

const NEVER = Number.POSITIVE_INFINITY;

export interface TimeLimitOwner {
  /** The exchange is over. */
  timedOut(error: MeshError): void;
  /** Only this try is. */
  tryTimedOut(error: MeshError): void;
}

export interface TimeLimitDeps {
  readonly deadlines: Deadlines;
  /** Milliseconds, monotonic. */
  now(): number;
}

export class TimeLimits implements DeadlineOwner {
  readonly #deps: TimeLimitDeps;
  readonly #owner: TimeLimitOwner;
  #action: RouteAction | null = null;
  #call: CallDeadline | null = null;
  #timer: Deadline | null = null;
  #requestDue = NEVER;
  #tryDue = NEVER;
  /** Milliseconds; 0: for ever. */
  #idle = STREAM_IDLE;
  #idleDue = NEVER;
  /** Something was read since the idle limit was last set. */
  #moved = false;
  /** Bytes that a tunnel has passed on; null: there is none. */
  #passed: (() => number) | null = null;
  #passedBefore = 0;
  #requestEnded = false;

  constructor(deps: TimeLimitDeps, owner: TimeLimitOwner) {
    this.#deps = deps;
    this.#owner = owner;
  }

  /** The first try begins; `whole`: there is no request body to come. */
  begin(action: RouteAction, call: CallDeadline | null, whole: boolean): void {
    this.#action = action;
    this.#call = call;
    this.#idle = streamIdle(action.idleTimeout);
    this.#requestEnded = whole;
    const now = this.#deps.now();
    if (whole) this.#setDue(action, now);
    this.#arm(now);
  }

  /** Limits of the answer run from here, as Envoy's do; an upload has the idle limit only. */
  requestEnded(): void {
    const action = this.#action;
    if (action === null || this.#requestEnded || this.#passed !== null) return;
    this.#requestEnded = true;
    const now = this.#deps.now();
    this.#setDue(action, now);
    if (this.#requestDue < NEVER || this.#tryDue < NEVER) this.#arm(now);
  }

  /** Another try begins. */
  triedAgain(): void {
    if (this.#action === null || this.#action.perTryTimeout === 0 || !this.#requestEnded) return;
    const now = this.#deps.now();
    this.#tryDue = now + this.#action.perTryTimeout;
    this.#arm(now);
  }

  /** `endless`: it goes on for as long as it has something to say. */
  answerBegan(endless: boolean): void {
    this.#moved = true;
    this.#tryDue = NEVER;
    if (endless) this.#requestDue = NEVER;
  }

  /** From here on only silence counts. `passed`: bytes so far. */
  tunnelBegan(passed: () => number): void {
    this.#requestDue = NEVER;
    this.#tryDue = NEVER;
    this.#call = null;
    this.#passed = passed;
    this.#idle = tunnelIdle(this.#action?.idleTimeout ?? null);
    this.#arm(this.#deps.now());
  }

  /** Something was read. */
  moved(): void {
    this.#moved = true;
  }

  stop(): void {
    if (this.#timer === null) return;
    this.#deps.deadlines.clear(this.#timer);
    this.#timer = null;
  }

  onTimer(): void {
    const now = this.#deps.now();
    const action = this.#action;
    if (this.#call !== null && now >= this.#call.at) {
      this.#owner.timedOut(overdue(this.#call));
    } else if (action !== null && now >= this.#requestDue) {
      const detail = `no whole answer within ${action.timeout} ms`;
      this.#owner.timedOut(new MeshError('upstream-timeout', { origin: 'upstream', detail }));
    } else if (action !== null && now >= this.#tryDue) {
      this.#tryDue = NEVER;
      const detail = `the answer of this try did not begin within ${action.perTryTimeout} ms`;
      // Goes on waiting for what the owner makes of it.
      this.#arm(now);
      this.#owner.tryTimedOut(new MeshError('per-try-timeout', { origin: 'upstream', detail }));
    } else if (now >= this.#idleDue && !this.#hasMoved()) {
      this.#owner.timedOut(new MeshError('stream-idle', { detail: `nothing moved for ${this.#idle} ms` }));
    } else {
      this.#arm(now);
    }
  }

  #setDue({ timeout, perTryTimeout }: RouteAction, now: number): void {
    if (timeout > 0) this.#requestDue = now + timeout;
    if (perTryTimeout > 0) this.#tryDue = now + perTryTimeout;
  }

  #hasMoved(): boolean {
    return this.#moved || (this.#passed !== null && this.#passed() !== this.#passedBefore);
  }

  /** Sets the one timer to what comes first; what moved until now is no longer news. */
  #arm(now: number): void {
    this.stop();
    this.#moved = false;
    if (this.#passed !== null) this.#passedBefore = this.#passed();
    this.#idleDue = this.#idle > 0 ? now + this.#idle : NEVER;
    const due = Math.min(this.#idleDue, this.#requestDue, this.#tryDue, this.#call?.at ?? NEVER);
    if (due < NEVER) this.#timer = this.#deps.deadlines.set(Math.max(due - now, 0), this);
  }
}

export function overdue({ text }: CallDeadline): MeshError {
  return new MeshError('upstream-timeout', {
    origin: 'upstream',
    detail: `not over within its grpc-timeout of ${text}`,
  });
}

/** Answers that are streams of events: no limit on the whole can be meant for them. */
export function isEndless(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  // Nearly every answer is told by its first letter.
  const first = contentType.charCodeAt(0) | 0x20;
  if (first !== 0x74 && first !== 0x61 && first !== 0x6d) return false;
  const type = contentType.toLowerCase();
  return ENDLESS.some((each) => type.startsWith(each));
}

const ENDLESS = ['text/event-stream', 'application/x-ndjson', 'multipart/x-mixed-replace'];

// Timers of exchanges, used again and again: a WheelTimer holds a closure, which would otherwise be made
// for every request.
import { type TimerWheel, WheelTimer } from '../kit/timer-wheel.ts';

export interface DeadlineOwner {
  onTimer(): void;
}

export interface Deadline {
  readonly timer: WheelTimer;
  owner: DeadlineOwner | null;
}

/** Most that are kept for later; above it they are left to the garbage collector. */
const KEPT = 1_024;

export class Deadlines {
  readonly #wheel: TimerWheel;
  readonly #free: Deadline[] = [];

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
  }

  /** Calls `owner.onTimer` once after `delay` ms, unless `clear` comes first. */
  set(delay: number, owner: DeadlineOwner): Deadline {
    const deadline = this.#free.pop() ?? newDeadline();
    deadline.owner = owner;
    this.#wheel.schedule(deadline.timer, delay);
    return deadline;
  }

  /** Also after it fired: the owner gives it back. */
  clear(deadline: Deadline): void {
    deadline.owner = null;
    if (this.#free.length < KEPT) {
      this.#wheel.rest(deadline.timer);
      this.#free.push(deadline);
    } else {
      this.#wheel.cancel(deadline.timer);
    }
  }
}

function newDeadline(): Deadline {
  const deadline: Deadline = { timer: new WheelTimer(() => deadline.owner?.onTimer()), owner: null };
  return deadline;
}

// Coarse timeouts for very many connections: one unref'd interval for all, a ring of slots, timers that
// their owners make once and schedule again and again. A timer never fires early, and late by one tick.

const SLOTS = 512;

/** A place in the wheel; made once by its owner, scheduled and cancelled any number of times. */
export class WheelTimer {
  readonly onExpire: () => void;
  /** Tick at which it is due; 0: not scheduled. */
  due = 0;
  /** Tick of the slot that it lies in, not after `due`; 0: in none. */
  slot = 0;
  previous: WheelTimer | null = null;
  next: WheelTimer | null = null;

  constructor(onExpire: () => void) {
    this.onExpire = onExpire;
  }
}

export interface TimerWheelOptions {
  /** Milliseconds, monotonic: `performance.now`. */
  readonly now: () => number;
  /** Milliseconds; 100 by default. */
  readonly tickMs?: number;
}

export class TimerWheel {
  readonly #now: () => number;
  readonly #tickMs: number;
  /** Each slot is the head of a doubly linked ring, so that unlinking needs no look-up. */
  readonly #slots: WheelTimer[] = [];
  #tick: number;
  #interval: NodeJS.Timeout | null = null;

  constructor(options: TimerWheelOptions) {
    this.#now = options.now;
    this.#tickMs = options.tickMs ?? 100;
    this.#tick = Math.floor(this.#now() / this.#tickMs);
    for (let i = 0; i < SLOTS; i++) this.#slots.push(emptyRing());
  }

  start(): void {
    this.#interval ??= setInterval(() => this.advance(), this.#tickMs).unref();
  }

  /** Nothing fires any more; timers stay where they are. */
  close(): void {
    if (this.#interval !== null) clearInterval(this.#interval);
    this.#interval = null;
  }

  /**
   * Fires `timer` once, not before `delayMs` from now; a timer that is scheduled already is moved. One that is only put
   * off, as most are with every request, stays where it is until its slot comes.
   */
  schedule(timer: WheelTimer, delayMs: number): void {
    const due = Math.max(Math.ceil((this.#now() + delayMs) / this.#tickMs), this.#tick + 1);
    timer.due = due;
    if (timer.slot !== 0) {
      if (timer.slot <= due) return;
      unlink(timer);
    }
    this.#put(timer, due);
  }

  cancel(timer: WheelTimer): void {
    timer.due = 0;
    if (timer.slot === 0) return;
    timer.slot = 0;
    unlink(timer);
  }

  /** Cancels a timer that is soon scheduled again: it stays in its slot, and the wheel holds on to it until that comes. */
  rest(timer: WheelTimer): void {
    timer.due = 0;
  }

  /** Fires what is due by the clock; the interval calls it, and tests do. */
  advance(): void {
    const target = Math.floor(this.#now() / this.#tickMs);
    // After a long stall one turn of the ring meets every timer.
    const first = Math.max(this.#tick + 1, target - SLOTS + 1);
    for (let tick = first; tick <= target; tick++) {
      this.#tick = tick;
      this.#fire(this.#slots[tick % SLOTS] as WheelTimer, target);
    }
  }

  #put(timer: WheelTimer, tick: number): void {
    timer.slot = tick;
    link(this.#slots[tick % SLOTS] as WheelTimer, timer);
  }

  #fire(slot: WheelTimer, target: number): void {
    // What expires may schedule and cancel timers of this very slot: due ones are moved out first.
    const expired = emptyRing();
    for (let timer = slot.next as WheelTimer; timer !== slot; ) {
      const next = timer.next as WheelTimer;
      if (timer.slot <= target) {
        unlink(timer);
        link(expired, timer);
      }
      timer = next;
    }
    while (expired.next !== expired) {
      const timer = expired.next as WheelTimer;
      const { due } = timer;
      this.cancel(timer);
      if (due > target) {
        timer.due = due;
        this.#put(timer, due);
      } else if (due !== 0) {
        timer.onExpire();
      }
    }
  }
}

function emptyRing(): WheelTimer {
  const head = new WheelTimer(() => {});
  head.previous = head;
  head.next = head;
  return head;
}

function link(head: WheelTimer, timer: WheelTimer): void {
  const last = head.previous as WheelTimer;
  timer.previous = last;
  timer.next = head;
  last.next = timer;
  head.previous = timer;
}

function unlink(timer: WheelTimer): void {
  (timer.previous as WheelTimer).next = timer.next;
  (timer.next as WheelTimer).previous = timer.previous;
  timer.previous = null;
  timer.next = null;
}

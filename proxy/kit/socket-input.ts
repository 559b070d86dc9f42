// Reads of sockets into one buffer that all of them share. Left to itself Node makes 64 KiB for every read and
// shrinks them to what came, which is garbage a moment later (bench/PROFILE.md).
import { Socket } from 'node:net';
import { LEAST_PART, Slab } from './slab.ts';

/** The most that one read takes; what libuv offers by itself. */
const READ_BYTES = 65_536;
const SHARED: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * What the option `onread` of net.connect sets; a server has no such option for the sockets that it accepts. Where
 * this Node has them under other names, reads come as 'data' events.
 */
const probe = Object.getOwnPropertySymbols(new Socket());
const BUFFER = probe.find(({ description }) => description === 'kBuffer');
const TAKE = probe.find(({ description }) => description === 'kBufferCb');
const NEXT = probe.find(({ description }) => description === 'kBufferGen');

/** A socket as Node has it inside. */
type OpenSocket = Socket & {
  readonly _handle?: { useUserBuffer?(buffer: Buffer): void } | null;
  [inside: symbol]: unknown;
};

/**
 * What of a read outlives the call that it came with, for one holder (see `release`): copied if it lies in the buffer
 * that everybody shares, or is too small a part of a slab.
 */
export function kept(chunk: Buffer): Buffer {
  const inShared = chunk.buffer === SHARED.buffer;
  if (chunk.length < LEAST_PART) return inShared || Slab.of(chunk) !== undefined ? copied(chunk) : chunk;
  if (inShared) {
    const { memory } = Slab.take();
    memory.set(chunk, 0);
    return chunk.length === memory.length ? memory : memory.subarray(0, chunk.length);
  }
  const slab = Slab.of(chunk);
  if (slab?.forgotten === true) return copied(chunk);
  slab?.hold();
  return chunk;
}

function copied(chunk: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(chunk.length);
  copy.set(chunk, 0);
  return copy;
}

/** What holds writes back until a read is worked off. */
export interface Flushable {
  /** Bytes that it holds. */
  readonly held: number;
  flushDue(): void;
}

const due: Flushable[] = [];
let reading = false;

/**
 * Calls `flushDue` once the read that is being worked off is done with, else at the end of this tick. A body in the
 * middle waits for the end of the loop turn: the records of one read of TLS come one by one, and go on as one.
 */
export function flushAfterRead(what: Flushable): void {
  if (reading) due.push(what);
  else process.nextTick(flushOne, what);
}

function flushOne(what: Flushable): void {
  what.flushDue();
}

function flushAll(): void {
  reading = false;
  for (let what = due.pop(); what !== undefined; what = due.pop()) {
    if (what.held < LEAST_PART) what.flushDue();
    else setImmediate(flushOne, what);
  }
}

/** Views of the beginning of SHARED: sizes repeat, and a view costs more than a look. */
const views: (Buffer | undefined)[] = Array.from({ length: 64 }, () => undefined);

function viewOf(length: number): Buffer {
  const known = views[length & 63];
  if (known !== undefined && known.length === length) return known;
  const view = SHARED.subarray(0, length);
  views[length & 63] = view;
  return view;
}

/** One per connection and codec. Pause and resume the socket itself. */
export class SocketInput {
  /** Bytes of a body that are known to come, -1 where that is not known: reads of bulk need no copy. */
  expected = -1;

  readonly #socket: OpenSocket;
  readonly #onData: (chunk: Buffer) => void;
  /** What is read into, from `#at` on; null: SHARED. */
  #slab: Slab | null = null;
  #at = 0;
  /** What the next read goes to, where that is to change. */
  #upcoming: Buffer | undefined = undefined;

  /** `onData` must take or keep (see `kept`) a chunk before it returns. */
  constructor(socket: Socket, onData: (chunk: Buffer) => void) {
    // Looked at with every guard there is, and left alone where anything is missing.
    this.#socket = socket as OpenSocket;
    this.#onData = onData;
  }

  start(): void {
    const socket = this.#socket;
    if (!this.#intoShared(this.#take)) socket.on('data', this.#onData);
    socket.resume();
  }

  /** The socket is left paused; what is read from now on comes as its 'data' events. */
  stop(): void {
    const socket = this.#socket;
    socket.pause();
    socket.off('data', this.#onData);
    // The next read still goes there.
    this.#slab?.forget();
    this.closed();
    if (TAKE === undefined || NEXT === undefined || socket[TAKE] !== this.#take) return;
    socket[TAKE] = (length: number, buffer: Buffer) => socket.push(Buffer.from(buffer.subarray(0, length)));
    socket[NEXT] = null;
  }

  /** The socket is closed: nothing is read any more. */
  closed(): void {
    if (this.#slab === null) return;
    Slab.doneReading(this.#slab);
    this.#slab = null;
  }

  #intoShared(take: (length: number, buffer: Buffer) => boolean): boolean {
    const socket = this.#socket;
    const handle = socket._handle;
    if (BUFFER === undefined || TAKE === undefined || NEXT === undefined || socket.readableLength > 0) return false;
    if (!(BUFFER in socket) || typeof handle?.useUserBuffer !== 'function') return false;
    if (socket[BUFFER] === null) handle.useUserBuffer(SHARED);
    // A codec before this one may have left another one.
    else if (socket[BUFFER] !== SHARED) this.#readInto(SHARED);
    socket[BUFFER] ??= SHARED;
    socket[TAKE] = take;
    return true;
  }

  readonly #take = (length: number, buffer: Buffer): boolean => {
    const chunk = buffer === SHARED ? viewOf(length) : length === buffer.length ? buffer : buffer.subarray(0, length);
    reading = true;
    try {
      this.#onData(chunk);
    } finally {
      flushAll();
    }
    if (this.#slab !== null || length >= LEAST_PART || this.expected >= LEAST_PART) this.#choose(length);
    return true;
  };

  /** Where the next read goes: bulk to a slab, of which what is held is left alone, all else to where everybody reads. */
  #choose(length: number): void {
    const { expected } = this;
    if (this.#socket.destroyed || TAKE === undefined || this.#socket[TAKE] !== this.#take) return;
    const bulk = (expected < 0 ? length : expected) >= LEAST_PART;
    const slab = this.#slab;
    if (slab !== null) {
      if (bulk && slab.unshared) {
        if (this.#at > 0) this.#readInto(slab.memory);
        this.#at = 0;
        return;
      }
      this.#at += length;
      // Records of TLS come one by one, and may lie side by side.
      if (bulk && 'encrypted' in this.#socket && slab.memory.length - this.#at >= LEAST_PART)
        return this.#readInto(slab.memory.subarray(this.#at));
      this.closed();
    }
    const next = bulk ? Slab.takeToRead() : null;
    this.#slab = next;
    this.#at = 0;
    if (next !== null || slab !== null) this.#readInto(next === null ? SHARED : next.memory);
  }

  #readInto(buffer: Buffer): void {
    this.#upcoming = buffer;
    if (NEXT !== undefined) this.#socket[NEXT] = this.#next;
  }

  readonly #next = (): Buffer | undefined => {
    const buffer = this.#upcoming;
    this.#upcoming = undefined;
    return buffer;
  };
}

// Reads of sockets into one buffer that all of them share. Left to itself Node makes 64 KiB for every read and
// shrinks them to what came, which is garbage a moment later (bench/PROFILE.md).
import { Socket } from 'node:net';

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

/** What of a read outlives the call that it came with: copied if it lies in the buffer that everybody shares. */
export function kept(chunk: Buffer): Buffer {
  if (chunk.buffer !== SHARED.buffer) return chunk;
  const copy = Buffer.allocUnsafe(chunk.length);
  chunk.copy(copy, 0);
  return copy;
}

/** What holds writes back until a read is worked off. */
export interface Flushable {
  flushDue(): void;
}

const due: Flushable[] = [];
let reading = false;

/** Calls `flushDue` once the read that is being worked off is done with, else at the end of this tick. */
export function flushAfterRead(what: Flushable): void {
  if (reading) due.push(what);
  else process.nextTick(flushOne, what);
}

function flushOne(what: Flushable): void {
  what.flushDue();
}

function flushAll(): void {
  reading = false;
  for (let what = due.pop(); what !== undefined; what = due.pop()) what.flushDue();
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
  readonly #socket: OpenSocket;
  readonly #onData: (chunk: Buffer) => void;

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
    if (TAKE === undefined || NEXT === undefined || socket[TAKE] !== this.#take) return;
    socket[TAKE] = (length: number, buffer: Buffer) => socket.push(Buffer.from(buffer.subarray(0, length)));
    socket[NEXT] = null;
  }

  #intoShared(take: (length: number, buffer: Buffer) => boolean): boolean {
    const socket = this.#socket;
    const handle = socket._handle;
    if (BUFFER === undefined || TAKE === undefined || NEXT === undefined || socket.readableLength > 0) return false;
    if (!(BUFFER in socket) || typeof handle?.useUserBuffer !== 'function') return false;
    if (socket[BUFFER] === null) handle.useUserBuffer(SHARED);
    // A codec before this one may have left another one.
    socket[BUFFER] ??= SHARED;
    socket[TAKE] = take;
    return true;
  }

  readonly #take = (length: number, buffer: Buffer): boolean => {
    const shared = buffer === SHARED;
    const full = length === READ_BYTES;
    // After a read that filled the buffer more is to be expected, and a buffer of its own is cheaper than a copy.
    if (NEXT !== undefined && (full || !shared)) this.#socket[NEXT] = full ? nextOwn : nextShared;
    const chunk = shared ? viewOf(length) : full ? buffer : buffer.subarray(0, length);
    reading = true;
    try {
      this.#onData(chunk);
    } finally {
      flushAll();
    }
    return true;
  };
}

function nextOwn(): Buffer {
  return Buffer.allocUnsafeSlow(READ_BYTES);
}

function nextShared(): Buffer {
  return SHARED;
}

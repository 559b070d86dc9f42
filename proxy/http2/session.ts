// A connection without its input: the socket, what goes out and when, its streams and their windows, signs of
// life, and the end. connection.ts adds the frames that come in, and the roles what a message is.
import type { Socket } from 'node:net';
import { MeshError } from '../../core/kit/error.ts';
import type { HeaderList } from '../kit/header-list.ts';
import { flushAfterRead, SocketInput } from '../kit/socket-input.ts';
import { type TimerWheel, WheelTimer } from '../kit/timer-wheel.ts';
import { FloodGuard } from './flood-guard.ts';
import { FrameWriter } from './frame-writer.ts';
import { DEFAULT_WINDOW, ENHANCE_YOUR_CALM, INTERNAL_ERROR, NO_ERROR, PREFACE } from './frames.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import type { Http2Limits } from './limits.ts';
import { MessageReader } from './message.ts';
import { Sender, type SenderHost } from './sender.ts';
import { ownSettings, PeerSettings } from './settings.ts';
import { StreamTable } from './stream-table.ts';
import type { Http2Stream, StreamHost } from './stream.ts';

export interface Http2Options {
  readonly limits: Http2Limits;
  readonly timers: TimerWheel;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** The peer broke a rule of the connection, which ends with this code. */
  readonly onFault?: (code: number) => void;
}

/** So many bytes are not held back for the end of the turn. */
const FLUSH_LIMIT = 65_536;
/** Streams that were reset and of which frames may still be on their way. */
const REMEMBERED_RESETS = 512;

export abstract class Http2Session implements StreamHost, SenderHost {
  protected readonly socket: Socket;
  protected readonly limits: Http2Limits;
  protected readonly streams = new StreamTable<Http2Stream>();
  protected readonly writer: FrameWriter;
  protected readonly sender: Sender;
  protected readonly encoder: HpackEncoder;
  protected readonly message: MessageReader;
  protected readonly peer = new PeerSettings();
  protected readonly guard: FloodGuard;
  /** `closing`: the last GOAWAY is out and nothing is read any more. */
  protected state: 'open' | 'closing' | 'closed' = 'open';

  readonly #onFault: ((code: number) => void) | undefined;
  readonly #reads: SocketInput;
  protected readonly timers: TimerWheel;
  readonly #timer: WheelTimer;
  protected readonly isClient: boolean;
  protected readonly resets = new Set<number>();
  /** Bytes of DATA that the peer may still send on the connection; bytes taken that it has not been told of. */
  protected receiveWindow: number;
  #untold = 0;
  #flushDue = false;
  #heard = false;
  #pinged = false;
  #idleMs = 0;

  constructor(socket: Socket, isClient: boolean, options: Http2Options) {
    const { limits } = options;
    this.socket = socket;
    this.#reads = new SocketInput(socket, this.#onData);
    this.limits = limits;
    this.#onFault = options.onFault;
    this.timers = options.timers;
    this.#timer = new WheelTimer(() => this.#onExpire());
    this.isClient = isClient;
    this.writer = new FrameWriter(socket);
    this.sender = new Sender(this, this.writer, this.peer, limits.frameBytes);
    this.encoder = new HpackEncoder(limits.tableBytes);
    this.message = new MessageReader(limits);
    this.guard = new FloodGuard(limits, options.now);
    this.receiveWindow = Math.max(limits.connectionWindow, DEFAULT_WINDOW);
  }

  /** Streams that are open. */
  get active(): number {
    return this.streams.size;
  }

  /** `early`: read already by somebody else, who paused the socket. */
  start(early: Buffer | null = null): void {
    const { socket, limits, writer } = this;
    socket.setNoDelay(true);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('error', ignore);
    socket.on('close', this.#onClosed);
    if (this.isClient) writer.raw(PREFACE);
    writer.settings(ownSettings(this.isClient, limits));
    if (limits.connectionWindow > DEFAULT_WINDOW) writer.windowUpdate(0, limits.connectionWindow - DEFAULT_WINDOW);
    this.flush();
    this.schedule(limits.headTimeoutMs);
    if (early !== null) this.#onData(early);
    this.#reads.start();
  }

  protected abstract read(chunk: Buffer): void;
  /** Nothing more is taken, from within a callback too. */
  protected abstract stopReading(): void;
  /** Ends the connection where the peer owes something since `schedule`. */
  protected abstract overdue(): boolean;
  /** The last stream ended. */
  protected abstract onQuiet(): void;
  /** The connection has been without a stream for too long. */
  protected abstract onIdle(): void;
  /** Every stream ends; `code` of the GOAWAY that goes out, -1 where the socket is gone. Called once. */
  protected abstract onEnded(code: number, detail: string): void;
  protected abstract onSocketClosed(): void;
  /** For GOAWAY: the last stream of the peer that was taken. */
  protected abstract lastTaken(): number;

  writable(): boolean {
    return !this.socket.writableNeedDrain && this.writer.length < FLUSH_LIMIT;
  }

  writeTrailers(stream: Http2Stream, trailers: HeaderList): void {
    const { fields } = trailers;
    const { encoder } = this;
    encoder.begin();
    try {
      for (let i = 0; i < fields.length; i += 2) encoder.add(fields[i] as string, fields[i + 1] as string);
    } catch (error) {
      return this.streamError(stream, INTERNAL_ERROR, unwritable(error));
    }
    const length = encoder.finish();
    this.writer.headers(stream.id, encoder.block, length, true);
  }

  sentData(bytes: number, cut: boolean): void {
    if (cut) this.guard.dribbled(bytes);
    else this.guard.moved(bytes);
  }

  push(stream: Http2Stream): void {
    this.sender.push(stream);
    this.flushSoon();
  }

  pushNow(stream: Http2Stream, chunk: Buffer, end: boolean): boolean {
    if (!this.sender.pushNow(stream, chunk, end)) return false;
    this.flushSoon();
    return true;
  }

  credit(stream: Http2Stream | null, bytes: number): void {
    if (this.state !== 'open') return;
    const { limits } = this;
    this.#untold += bytes;
    if (this.#untold * 4 >= limits.connectionWindow) {
      this.writer.windowUpdate(0, this.#untold);
      this.receiveWindow += this.#untold;
      this.#untold = 0;
      this.flushSoon();
    }
    if (stream === null || stream.received || stream.unwanted) return;
    stream.untold += bytes;
    if (stream.untold * 2 < stream.window) return;
    const granted = stream.untold + stream.grow(limits.largestWindow);
    this.writer.windowUpdate(stream.id, granted);
    stream.receiveWindow += granted;
    stream.untold = 0;
    this.flushSoon();
  }

  reset(stream: Http2Stream, code: number): void {
    if (this.streams.get(stream.id) !== stream) return;
    stream.abandon();
    this.resetId(stream.id, code);
    this.finished(stream);
  }

  finished(stream: Http2Stream): void {
    if (!this.streams.delete(stream.id)) return;
    this.onStreamGone(stream);
    if (this.streams.size === 0) this.onQuiet();
  }

  /** After its stream was taken out. */
  protected onStreamGone(_stream: Http2Stream): void {}

  protected resetId(stream: number, code: number): void {
    this.resets.add(stream);
    if (this.resets.size > REMEMBERED_RESETS) this.resets.delete(this.resets.values().next().value as number);
    this.writer.resetStream(stream, code);
    this.flushSoon();
  }

  /** The peer broke a rule of one stream. */
  protected streamError(stream: Http2Stream, code: number, detail: string): void {
    this.reset(stream, code);
    stream.violated(detail);
    this.countReset();
  }

  /** A stream came to nothing. False: too many did, and the connection ends. */
  protected countReset(): boolean {
    if (this.guard.reset()) return true;
    this.fail(ENHANCE_YOUR_CALM, 'too many streams that come to nothing');
    return false;
  }

  /** Ends the connection with GOAWAY; every stream of it fails. */
  fail(code: number, detail: string): void {
    if (this.state !== 'open') return;
    if (code !== NO_ERROR) this.#onFault?.(code);
    this.state = 'closing';
    this.stopReading();
    this.writer.goAway(this.lastTaken(), code);
    this.writer.flush();
    this.writer.clear();
    this.#endStreams(code, detail);
    this.socket.end();
    // What is unread would turn the end into a reset, which can destroy the GOAWAY.
    this.socket.resume();
    this.schedule(this.limits.closeDelayMs);
  }

  /** The socket is gone or given up. */
  protected lose(detail: string): void {
    if (this.state === 'closed') return;
    const open = this.state === 'open';
    this.state = 'closed';
    this.stopReading();
    this.writer.clear();
    this.timers.cancel(this.#timer);
    this.socket.destroy();
    if (open) this.#endStreams(-1, detail);
  }

  #endStreams(code: number, detail: string): void {
    this.sender.clear();
    this.onEnded(code, detail);
  }

  /**
   * With one stream at most there is nobody to wait for: what belongs together was written in this very tick. With
   * more, their frames meet until the turn of the event loop ends (bench: mtls-pair-h1, 1 and 32 in flight).
   */
  flushSoon(): void {
    if (this.writer.length >= FLUSH_LIMIT) return this.flush();
    if (this.#flushDue || this.writer.length === 0) return;
    this.#flushDue = true;
    if (this.streams.size <= 1) flushAfterRead(this);
    else setImmediate(flushLater, this);
  }

  get held(): number {
    return this.writer.length;
  }

  /** Only for what `flushSoon` asked for. */
  flushDue(): void {
    this.#flushDue = false;
    if (this.state === 'open') this.flush();
  }

  protected flush(): void {
    while (this.writer.length > 0) {
      this.writer.flush();
      if (!this.writable()) break;
      this.sender.pump();
    }
    if (this.socket.writableLength > this.limits.backlogBytes) this.lose('the peer does not read');
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.state !== 'open') return;
    this.#heard = true;
    this.read(chunk);
  };

  readonly #onDrain = (): void => {
    if (this.state !== 'open') return;
    this.sender.pump();
    this.flushSoon();
  };

  readonly #onEnd = (): void => {
    this.lose('the peer closed the connection');
  };

  readonly #onClosed = (): void => {
    this.#reads.closed();
    this.lose('the connection was reset');
    this.onSocketClosed();
  };

  #onExpire(): void {
    const { limits } = this;
    if (this.state === 'closing') return this.lose('');
    if (this.overdue()) return;
    if (this.streams.size === 0) {
      this.writer.rest();
      this.#idleMs += limits.pingAfterMs;
      if (limits.idleTimeoutMs > 0 && this.#idleMs >= limits.idleTimeoutMs) this.onIdle();
    } else if (!this.#heard) {
      if (this.#pinged) return this.lose('the peer gives no sign of life');
      this.#pinged = true;
      this.ping();
    }
    if (this.#heard) this.#pinged = false;
    this.#heard = false;
    if (this.state === 'open') this.schedule(limits.pingAfterMs);
  }

  protected ping(): void {
    this.writer.ping(false, PING_PAYLOAD, 0);
    this.flushSoon();
  }

  /** After the settings: the next look at the connection comes in so many milliseconds. */
  protected schedule(delayMs: number): void {
    this.timers.schedule(this.#timer, delayMs);
  }

  /** A stream was opened. */
  protected opened(stream: Http2Stream): void {
    this.streams.add(stream);
    this.#idleMs = 0;
  }
}

/** Why the encoder threw; any other fault is thrown on. */
export function unwritable(error: unknown): string {
  if (error instanceof MeshError) return error.detail;
  throw error;
}

/** Says which of our PINGs was answered: there is never more than one kind. */
const PING_PAYLOAD: Buffer = Buffer.from('weftping', 'latin1');

function flushLater(connection: Http2Session): void {
  connection.flushDue();
}

function ignore(): void {}

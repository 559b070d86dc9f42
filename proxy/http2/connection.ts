// The frames that come in on a connection of either role (RFC 9113 §6): settings, windows, header blocks, and
// what each may not do. The roles add which streams there are and what a message is.
import type { Socket } from 'node:net';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import {
  ACK,
  COMPRESSION_ERROR,
  CONTINUATION,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HAS_PRIORITY,
  HEADERS,
  MAX_STREAM_ID,
  MAX_WINDOW,
  NO_ERROR,
  PADDED,
  PING,
  PRIORITY,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  SETTINGS_TIMEOUT,
  STREAM_CLOSED,
  WINDOW_UPDATE,
} from './frames.ts';
import { kept } from '../kit/socket-input.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { type Http2Options, Http2Session } from './session.ts';
import type { Http2Stream } from './stream.ts';

export abstract class Http2Connection extends Http2Session implements FrameSink {
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  /** The stream of the DATA frame that is being read. */
  #current: Http2Stream | null = null;
  /** Bytes of that frame that no reader was given: padding, and what came too late. */
  #untaken = 0;
  #frameBytes = 0;
  #settingsSeen = false;
  #settingsAcked = false;
  /** A header block that waits for its CONTINUATION. */
  #block: Buffer | null = null;
  #blockStream = 0;
  #blockEnds = false;
  #continuations = 0;

  constructor(socket: Socket, isClient: boolean, options: Http2Options) {
    super(socket, isClient, options);
    this.#decoder = new HpackDecoder(options.limits);
    this.#reader = new FrameReader(this, !isClient, options.limits.frameBytes);
  }

  /** Fields of a block were decoded into `message`. */
  protected abstract onBlock(stream: number, endStream: boolean, tooLarge: boolean): void;
  /** RST_STREAM came for an open stream, which is abandoned already. */
  protected abstract onReset(stream: Http2Stream, code: number): void;
  protected abstract onGoAway(lastStream: number, code: number): void;
  protected abstract onPong(): void;
  /** Settings of the peer are in force. */
  protected abstract onSettings(): void;
  /** No stream of this number was ever opened. */
  protected abstract isUnused(stream: number): boolean;

  protected read(chunk: Buffer): void {
    if (!this.#reader.read(chunk)) this.fail(this.#reader.code, this.#reader.detail);
  }

  protected stopReading(): void {
    this.#reader.stop();
    this.#block = null;
  }

  protected overdue(): boolean {
    if (!this.#settingsSeen || !this.#settingsAcked) this.fail(SETTINGS_TIMEOUT, 'no answer to the settings');
    else if (this.#block !== null) this.fail(ENHANCE_YOUR_CALM, 'a header block that does not end');
    return this.state !== 'open';
  }

  onDataHead(id: number, length: number, endStream: boolean): boolean {
    this.#current = null;
    if (!this.#inOrder(false)) return false;
    if (id === 0) return this.#protocol('DATA without a stream');
    this.receiveWindow -= length;
    if (this.receiveWindow < 0) return this.#stop(FLOW_CONTROL_ERROR, 'more DATA than the connection takes');
    const stream = this.streams.get(id);
    const isOpen = stream !== undefined && !stream.received;
    this.#frameBytes = length;
    // One that ends its stream says something, and cannot come twice.
    if (length === 0 && !(isOpen && endStream) && !this.#notEmpty()) return false;
    if (!isOpen) {
      this.credit(null, length);
      if (stream !== undefined) this.streamError(stream, STREAM_CLOSED, 'DATA after the end');
      else this.#onClosedStream(id, 'DATA');
      return false;
    }
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) {
      this.credit(null, length);
      this.streamError(stream, FLOW_CONTROL_ERROR, 'more DATA than the stream takes');
      return false;
    }
    this.#current = stream;
    this.#untaken = length;
    return true;
  }

  onData(_id: number, bytes: Buffer): void {
    const stream = this.#current;
    if (stream === null || stream.closed) return;
    this.#untaken -= bytes.length;
    if (!stream.receive(kept(bytes))) {
      this.credit(null, bytes.length);
      this.streamError(stream, PROTOCOL_ERROR, 'more body than declared');
    }
  }

  onDataEnd(_id: number, endStream: boolean): void {
    const stream = this.#current;
    this.#current = null;
    if (stream === null) return;
    if (this.#untaken > 0) this.credit(stream, this.#untaken);
    const taken = this.#frameBytes - this.#untaken;
    this.guard.moved(taken);
    // Nothing but padding.
    if (taken === 0 && this.#frameBytes > 0 && !this.#notEmpty()) return;
    if (!stream.closed && endStream && !stream.receiveEnd(null))
      this.streamError(stream, PROTOCOL_ERROR, 'less body than declared');
  }

  onUnknown(): void {
    if (this.#inOrder(false)) this.#noise();
  }

  onFrame(type: number, flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (type === SETTINGS && !this.#settingsSeen && (flags & ACK) === 0) this.#settingsSeen = true;
    if (!this.#inOrder(type === CONTINUATION)) return;
    switch (type) {
      case HEADERS:
        return this.#onHeaders(flags, id, payload, start, end);
      case CONTINUATION:
        return this.#onContinuation(flags, id, payload, start, end);
      case PRIORITY:
        return this.#onPriority(id, payload, start, end);
      case RST_STREAM:
        return this.#onResetStream(id, payload, start, end);
      case SETTINGS:
        return this.#onSettings(flags, id, payload, start, end);
      case PUSH_PROMISE:
        return void this.#protocol('PUSH_PROMISE');
      case PING:
        return this.#onPing(flags, id, payload, start, end);
      case GOAWAY:
        if (id !== 0) return void this.#protocol('GOAWAY on a stream');
        if (end - start < 8) return void this.#stop(FRAME_SIZE_ERROR, 'GOAWAY');
        if (!this.#noise()) return;
        return this.onGoAway(payload.readUInt32BE(start) & MAX_STREAM_ID, payload.readUInt32BE(start + 4));
      case WINDOW_UPDATE:
        return this.#onWindowUpdate(id, payload, start, end);
      default:
    }
  }

  #onHeaders(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (id === 0) return void this.#protocol('HEADERS without a stream');
    let from = start;
    let to = end;
    if ((flags & PADDED) !== 0) to -= (payload[from++] ?? 0) as number;
    if ((flags & HAS_PRIORITY) !== 0) {
      if (to - from < 5) return void this.#stop(to < from ? PROTOCOL_ERROR : FRAME_SIZE_ERROR, 'HEADERS');
      const on = payload.readUInt32BE(from) & MAX_STREAM_ID;
      from += 5;
      if (on === id) return void this.#protocol('a stream that depends on itself');
    }
    if (to < from) return void this.#protocol('more padding than payload');
    this.#blockStream = id;
    this.#blockEnds = (flags & END_STREAM) !== 0;
    if ((flags & END_HEADERS) !== 0) return this.#decode(payload, from, to);
    this.#continuations = 0;
    this.#block = Buffer.from(payload.subarray(from, to));
    this.schedule(this.limits.headTimeoutMs);
  }

  #onContinuation(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (block === null || id !== this.#blockStream) return void this.#protocol('CONTINUATION of nothing');
    const { limits } = this;
    if (++this.#continuations > limits.continuations || block.length + end - start > limits.blockBytes)
      return void this.#stop(ENHANCE_YOUR_CALM, 'a header block without end');
    const whole = Buffer.concat([block, payload.subarray(start, end)]);
    this.#block = whole;
    if ((flags & END_HEADERS) === 0) return;
    this.#block = null;
    this.schedule(limits.pingAfterMs);
    this.#decode(whole, 0, whole.length);
  }

  #decode(block: Buffer, start: number, end: number): void {
    this.message.reset();
    if (!this.#decoder.decode(block, start, end, this.message))
      return void this.#stop(COMPRESSION_ERROR, this.#decoder.detail);
    this.onBlock(this.#blockStream, this.#blockEnds, this.#decoder.tooLarge);
  }

  #onPriority(id: number, payload: Buffer, start: number, end: number): void {
    if (id === 0) return void this.#protocol('PRIORITY without a stream');
    if (!this.#noise()) return;
    const stream = this.streams.get(id);
    const sound = end - start === 5;
    if (sound && (payload.readUInt32BE(start) & MAX_STREAM_ID) !== id) return;
    const code = sound ? PROTOCOL_ERROR : FRAME_SIZE_ERROR;
    if (stream === undefined) this.#stop(code, 'PRIORITY');
    else this.streamError(stream, code, 'PRIORITY');
  }

  #onResetStream(id: number, payload: Buffer, start: number, end: number): void {
    if (end - start !== 4) return void this.#stop(FRAME_SIZE_ERROR, 'RST_STREAM');
    if (id === 0 || this.isUnused(id)) return void this.#protocol('RST_STREAM of no stream');
    const stream = this.streams.get(id);
    if (stream === undefined) return void this.#noise();
    // A server that has answered may stop the rest of the request (RFC 9113 §8.1).
    if (this.isClient && stream.received) return stream.stopSending();
    stream.abandon();
    this.finished(stream);
    this.onReset(stream, payload.readUInt32BE(start));
  }

  #onSettings(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (id !== 0) return void this.#protocol('SETTINGS on a stream');
    if ((flags & ACK) !== 0) {
      if (end !== start) return void this.#stop(FRAME_SIZE_ERROR, 'SETTINGS');
      if (this.#settingsAcked) return void this.#noise();
      this.#settingsAcked = true;
      this.schedule(this.limits.pingAfterMs);
      return;
    }
    if ((end - start) % 6 !== 0) return void this.#stop(FRAME_SIZE_ERROR, 'SETTINGS');
    if (!this.#control()) return;
    const { peer } = this;
    const before = peer.windowBytes;
    const code = peer.take(payload, start, end, this.isClient);
    if (code !== NO_ERROR) return void this.#stop(code, 'SETTINGS');
    this.encoder.resize(peer.tableBytes);
    this.writer.settingsAck();
    if (before !== peer.windowBytes) {
      for (const stream of this.streams.all()) {
        if (!this.sender.grant(stream, peer.windowBytes - before))
          return void this.#stop(FLOW_CONTROL_ERROR, 'a window that is too large');
      }
    }
    this.flushSoon();
    this.onSettings();
  }

  #onPing(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (id !== 0) return void this.#protocol('PING on a stream');
    if (end - start !== 8) return void this.#stop(FRAME_SIZE_ERROR, 'PING');
    if ((flags & ACK) !== 0) return this.#noise() ? this.onPong() : undefined;
    if (!this.#control()) return;
    this.writer.ping(true, payload, start);
    this.flushSoon();
  }

  #onWindowUpdate(id: number, payload: Buffer, start: number, end: number): void {
    if (end - start !== 4) return void this.#stop(FRAME_SIZE_ERROR, 'WINDOW_UPDATE');
    const bytes = payload.readUInt32BE(start) & MAX_WINDOW;
    if (!this.#noise()) return;
    if (id === 0) {
      if (bytes === 0) return void this.#protocol('WINDOW_UPDATE of nothing');
      if (!this.sender.grant(null, bytes)) return void this.#stop(FLOW_CONTROL_ERROR, 'a window that is too large');
      this.sender.pump();
      return this.flushSoon();
    }
    if (this.isUnused(id)) return void this.#protocol('WINDOW_UPDATE of no stream');
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    if (bytes === 0) return this.streamError(stream, PROTOCOL_ERROR, 'WINDOW_UPDATE of nothing');
    if (!this.sender.grant(stream, bytes))
      return this.streamError(stream, FLOW_CONTROL_ERROR, 'a window that is too large');
    this.flushSoon();
  }

  /** A frame for a stream that is not open. */
  #onClosedStream(id: number, what: string): void {
    if (this.isUnused(id)) this.#protocol(`${what} on no stream`);
    else if (this.resets.has(id)) this.#noise();
    else this.#stop(STREAM_CLOSED, `${what} on a closed stream`);
  }

  /** HEADERS for a stream that is not open, and that the role does not open. */
  protected onHeadersOfClosed(id: number): void {
    this.#onClosedStream(id, 'HEADERS');
  }

  /** SETTINGS come first, and nothing comes inside a header block. */
  #inOrder(continuation: boolean): boolean {
    if (this.state !== 'open') return false;
    if (!this.#settingsSeen) return this.#protocol('something before SETTINGS');
    return (this.#block !== null) === continuation || this.#protocol('a frame inside a header block');
  }

  #notEmpty(): boolean {
    return this.guard.noise() || this.#stop(ENHANCE_YOUR_CALM, 'too many empty frames');
  }

  #noise(): boolean {
    return this.guard.noise() || this.#stop(ENHANCE_YOUR_CALM, 'too many frames that move nothing');
  }

  #control(): boolean {
    return this.guard.control() || this.#stop(ENHANCE_YOUR_CALM, 'too many frames to answer');
  }

  #protocol(detail: string): false {
    return this.#stop(PROTOCOL_ERROR, detail);
  }

  #stop(code: number, detail: string): false {
    this.fail(code, detail);
    return false;
  }
}

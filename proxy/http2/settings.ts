// SETTINGS (RFC 9113 §6.5): our own, and the peer's, checked and kept as they are in force.
import {
  DEFAULT_WINDOW,
  ENABLE_CONNECT_PROTOCOL,
  ENABLE_PUSH,
  FLOW_CONTROL_ERROR,
  FRAME_BYTES,
  HEADER_TABLE_SIZE,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_FRAME_SIZE,
  MAX_HEADER_LIST_SIZE,
  MAX_WINDOW,
  NO_ERROR,
  PROTOCOL_ERROR,
} from './frames.ts';
import type { Http2Limits } from './limits.ts';

const LARGEST_FRAME = 16_777_215;

/** What we say at the start, as number and value. */
export function ownSettings(isClient: boolean, limits: Http2Limits): [number, number][] {
  const { streams, streamWindow, frameBytes, headerBytes } = limits;
  const role: [number, number][] = isClient
    ? [[ENABLE_PUSH, 0]]
    : [
        [MAX_CONCURRENT_STREAMS, streams],
        [ENABLE_CONNECT_PROTOCOL, 1],
      ];
  return [
    ...role,
    [INITIAL_WINDOW_SIZE, streamWindow],
    [MAX_FRAME_SIZE, frameBytes],
    [MAX_HEADER_LIST_SIZE, headerBytes],
  ];
}

export class PeerSettings {
  tableBytes = 4_096;
  /** Streams that may be open at once. */
  streams = Number.POSITIVE_INFINITY;
  windowBytes = DEFAULT_WINDOW;
  /** Of the payload of one DATA frame. */
  frameBytes = FRAME_BYTES;
  /** It takes extended CONNECT (RFC 8441). */
  connectProtocol = false;

  /** `fromServer`: it must not offer to be pushed to. The error code; `NO_ERROR` where all is well. */
  take(payload: Buffer, start: number, end: number, fromServer: boolean): number {
    for (let at = start; at < end; at += 6) {
      const code = this.#set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2), fromServer);
      if (code !== NO_ERROR) return code;
    }
    return NO_ERROR;
  }

  #set(id: number, value: number, fromServer: boolean): number {
    switch (id) {
      case HEADER_TABLE_SIZE:
        this.tableBytes = value;
        return NO_ERROR;
      case ENABLE_PUSH:
        return value > 1 || (fromServer && value === 1) ? PROTOCOL_ERROR : NO_ERROR;
      case MAX_CONCURRENT_STREAMS:
        this.streams = value;
        return NO_ERROR;
      case INITIAL_WINDOW_SIZE:
        this.windowBytes = value;
        return value > MAX_WINDOW ? FLOW_CONTROL_ERROR : NO_ERROR;
      case MAX_FRAME_SIZE:
        if (value < FRAME_BYTES || value > LARGEST_FRAME) return PROTOCOL_ERROR;
        this.frameBytes = value;
        return NO_ERROR;
      case ENABLE_CONNECT_PROTOCOL:
        // What was allowed once stays allowed.
        if (value > 1) return PROTOCOL_ERROR;
        this.connectProtocol ||= value === 1;
        return NO_ERROR;
      default:
        return NO_ERROR;
    }
  }
}

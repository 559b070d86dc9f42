// What the HTTP/2 codec bounds, and by how much unless told otherwise.

/** A bucket of tokens: so many at once, and so many more per second. */
export interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
}

export interface Http2Limits {
  /** Bytes of a header list as RFC 9113 §6.5.2 counts them: name, value and 32 for every field. */
  readonly headerBytes: number;
  readonly headerFields: number;
  /** Bytes of `:path`. */
  readonly pathBytes: number;
  /** Bytes of one header block before it is decoded, HEADERS and CONTINUATION frames together. */
  readonly blockBytes: number;
  /** CONTINUATION frames of one header block. */
  readonly continuations: number;
  /** Bytes of the dynamic table that the peer fills (RFC 7541 §4.2), and most that ours may have. */
  readonly tableBytes: number;
  /** Bytes of the largest payload that is taken and sent; larger frames hold up other streams for longer. */
  readonly frameBytes: number;
  /** Streams that the peer may have open. */
  readonly streams: number;
  /** Bytes that may come before a stream's reader has taken them. */
  readonly streamWindow: number;
  /** What that grows to for a reader that keeps up; one that pauses stays where it is. */
  readonly largestWindow: number;
  /** The same for all streams of a connection together: what slow readers can make us hold. */
  readonly connectionWindow: number;
  /** Bytes of our own that may wait for a peer that does not read. */
  readonly backlogBytes: number;
  /** Streams that end before they are answered: reset by the peer, refused, or ended by its errors. */
  readonly resets: Allowance;
  /** Frames that we have to answer: PING and SETTINGS. */
  readonly controls: Allowance;
  /** Frames that move nothing: empty DATA, PRIORITY, unknown ones, WINDOW_UPDATE beyond what DATA calls for. */
  readonly noise: Allowance;
  /** Milliseconds for the preface, for the answer to SETTINGS, and for a header block to be whole. */
  readonly headTimeoutMs: number;
  /** Milliseconds that a connection may stay open without a stream; 0: for ever. */
  readonly idleTimeoutMs: number;
  /** Milliseconds of silence on a connection with streams after which it is asked for a sign of life. */
  readonly pingAfterMs: number;
  /** Milliseconds for the answer, and for the peer to read a last GOAWAY. */
  readonly closeDelayMs: number;
}

/**
 * For whoever comes. Source: Envoy (60 KiB and 100 fields, idle 1 h; 100 streams in its guide for edges), nghttp2
 * (1,000 resets at once, 8 CONTINUATION frames, 4 KiB of table). A hundred resets a second are what callers that time
 * out under overload may well do. Windows: as many slow readers as there may be streams do not close that of the connection.
 */
export const HTTP2_LIMITS: Http2Limits = {
  headerBytes: 61_440,
  headerFields: 100,
  pathBytes: 8_192,
  // Twice what is taken: a list that is too large is read to its end and answered, so that its client learns why.
  blockBytes: 131_072,
  continuations: 8,
  tableBytes: 4_096,
  frameBytes: 16_384,
  streams: 100,
  streamWindow: 65_536,
  largestWindow: 1_048_576,
  connectionWindow: 16_777_216,
  backlogBytes: 1_048_576,
  resets: { burst: 1_000, perSecond: 100 },
  controls: { burst: 200, perSecond: 20 },
  noise: { burst: 2_000, perSecond: 200 },
  headTimeoutMs: 10_000,
  idleTimeoutMs: 3_600_000,
  pingAfterMs: 10_000,
  closeDelayMs: 1_000,
};

/** For the app beside a sidecar, which has its whole traffic on a connection or two. Source: Envoy, 1,024 streams. */
export const LOCAL_HTTP2_LIMITS: Http2Limits = {
  ...HTTP2_LIMITS,
  streams: 1_024,
  connectionWindow: 67_108_864,
  resets: { burst: 10_000, perSecond: 2_000 },
};

/**
 * Between sidecars, and towards apps: one connection has the requests, and the cancellations, of many callers. A frame
 * is as large as a read of a socket: 10 MiB through two of them cost 75 ms of CPU instead of 92, app and client
 * included.
 */
export const MESH_HTTP2_LIMITS: Http2Limits = {
  ...HTTP2_LIMITS,
  streams: 256,
  resets: LOCAL_HTTP2_LIMITS.resets,
  frameBytes: 65_536,
};

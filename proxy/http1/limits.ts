// What the HTTP/1.1 codec bounds, and by how much unless told otherwise.

export interface Http1Limits {
  /** Bytes of the request line or status line, without its CRLF. */
  readonly lineBytes: number;
  /** Bytes of all header fields together, also of all trailer fields. */
  readonly headerBytes: number;
  readonly headerFields: number;
  /** Bytes of all chunk extensions of one message together. */
  readonly extensionBytes: number;
  /** Bytes of a request body that are read and dropped after an early answer, to keep the connection. */
  readonly discardBytes: number;
  /** Milliseconds from the first byte of a head to its end; 0: for ever. */
  readonly headTimeoutMs: number;
  /** Milliseconds that a connection may stay open between two exchanges; 0: for ever. */
  readonly idleTimeoutMs: number;
  /** Milliseconds without a byte inside a body, in either direction; 0: for ever. */
  readonly bodyTimeoutMs: number;
  /** Milliseconds in which a client may still read a last answer before the connection is cut. */
  readonly closeDelayMs: number;
}

/**
 * Source: Envoy's HTTP connection manager (60 KiB and 100 header fields, connection idle 1 h, stream idle
 * 5 min, delayed close 1 s) and RFC 9112 §3 (8,000 bytes of request line at least). Envoy leaves the head
 * timeout to its operator; 10 s is what its edge guide and nginx's successors settle around.
 */
export const SERVER_LIMITS: Http1Limits = {
  lineBytes: 8_192,
  headerBytes: 61_440,
  headerFields: 100,
  extensionBytes: 16_384,
  discardBytes: 262_144,
  headTimeoutMs: 10_000,
  idleTimeoutMs: 3_600_000,
  bodyTimeoutMs: 300_000,
  closeDelayMs: 1_000,
};

/**
 * Towards an upstream. Idle is 60 s, and less where the upstream says so in `Keep-Alive: timeout`: a pool
 * that keeps longer than its server does meets closed connections (envoy#1979). The head of an answer is
 * waited for as long as the exchange wants to, and so is every byte of its body.
 */
export const CLIENT_LIMITS: Http1Limits = { ...SERVER_LIMITS, idleTimeoutMs: 60_000, bodyTimeoutMs: 0 };

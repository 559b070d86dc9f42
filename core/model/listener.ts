// What an edge listener demands of its clients, and what it believes of what they say about others.
import { milliseconds, type Milliseconds } from './brand.ts';

export interface ListenerLimits {
  /** Bytes of a request line; above: 414. */
  readonly requestLine: number;
  /** Bytes of all header fields together, also of all trailer fields; above: 431. */
  readonly headerSize: number;
  /** Header fields; above: 431. */
  readonly headerCount: number;
  /** Bytes of a request body; above: 413. 0: none. */
  readonly bodySize: number;
  /** From the first byte of a request head to its end; above: 408. 0: none. */
  readonly headerTimeout: Milliseconds;
}

/**
 * Source: Envoy (60 KiB, 100 fields, no bound for a body that is not kept) and RFC 9112 §3 (8,000 bytes of request line at
 * least). Envoy leaves the time for a head to its operator, and its edge guide says 10 s.
 */
export const DEFAULT_LIMITS: ListenerLimits = {
  requestLine: 8_192,
  headerSize: 61_440,
  headerCount: 100,
  bodySize: 0,
  headerTimeout: milliseconds(10_000),
};

/** What may be asked for. The codecs hold one head in memory, so that none may be as large as anybody likes. */
export const LIMIT_BOUNDS = {
  requestLine: { least: 256, most: 65_536 },
  headerSize: { least: 1_024, most: 1_048_576 },
  headerCount: { least: 8, most: 1_000 },
  /** 1 TiB. */
  bodySize: { least: 0, most: 2 ** 40 },
} as const;

/** The fields in which an edge tells the next hop of its client: X-Forwarded-*, Forwarded (RFC 7239), or both. */
export const FORWARDED_FIELDS = ['x-forwarded', 'forwarded', 'both'] as const;
export type ForwardedFields = (typeof FORWARDED_FIELDS)[number];

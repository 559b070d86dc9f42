// The time limits that hold where a configuration names none.
import type { Milliseconds } from '../model/brand.ts';

/** Nothing moved in either direction for this long, in ms. Source: Envoy's stream idle timeout. */
export const STREAM_IDLE = 300_000;
/** The same for upgraded connections, which may have nothing to say for long. Source: HAProxy's `timeout tunnel`, 1 h. */
const TUNNEL_IDLE = 3_600_000;

/** 0: for ever. */
export function streamIdle(configured: Milliseconds | number | null): number {
  return configured ?? STREAM_IDLE;
}

/** 0: for ever. */
export function tunnelIdle(configured: Milliseconds | number | null): number {
  return configured ?? TUNNEL_IDLE;
}

// What a proxy says of itself, as the control plane believes it: bounded, without control characters, numbers that
// are numbers. Nothing in it decides who the proxy is.
import { LIMITS } from '../../proto/codec/fields.ts';
import type { ProxyStatus__Output } from '../../proto/gen/weft/v1/ProxyStatus.ts';

export interface ReportedStatus {
  /** When it came, ms since 1970. */
  readonly at: number;
  /** Snapshot that runs; null: none. */
  readonly snapshot: string | null;
  readonly viewOrigin: 'stream' | 'disk' | null;
  /** Since a control plane last stood behind the view, in seconds. */
  readonly viewAge: number;
  /** The SVID in use; `notAfter` in ms since 1970. */
  readonly certificate: { readonly serial: string; readonly notAfter: number } | null;
  readonly app: 'up' | 'down' | 'not-probed';
  /** Why the app is down; else ''. */
  readonly appReason: string;
  readonly inFlight: number;
  readonly requestsPerSecond: number;
  readonly draining: boolean;
  /** Its clock minus ours, in ms; the time on the way counts as its being behind. null: it did not say. */
  readonly clockOffset: number | null;
  /** Addresses of its view on which nothing could listen. */
  readonly unbound: readonly string[];
  readonly unreachable: readonly { readonly cluster: string; readonly endpoint: string; readonly reason: string }[];
  /** Resident, in bytes; 0: it did not say. */
  readonly memory: number;
}

/** Entries of one list that are kept. */
const MOST_ENTRIES = 100;
const MOST_TEXT = 512;
/** Of an SVID: 20 octets (RFC 5280 §4.1.2.2) in hex, and some more. */
const SERIAL = /^[0-9a-f]{1,64}$/;

/** @param now ms since 1970 */
export function readStatus(status: ProxyStatus__Output, now: number): ReportedStatus {
  const { certificateSerial: serial, clockMs } = status;
  return {
    at: now,
    snapshot: status.snapshot === '' ? null : plainText(status.snapshot, LIMITS.name),
    viewOrigin: originOf(status),
    viewAge: number(status.viewAgeSeconds),
    certificate: SERIAL.test(serial) ? { serial, notAfter: number(status.certificateNotAfter) * 1_000 } : null,
    app: healthOf(status),
    appReason: plainText(status.appHealthReason, MOST_TEXT),
    inFlight: number(status.inFlight),
    requestsPerSecond: number(status.requestsPerSecond),
    draining: status.draining,
    clockOffset: number(clockMs) === 0 ? null : number(clockMs) - now,
    unbound: status.unbound.slice(0, MOST_ENTRIES).map((address) => plainText(address, LIMITS.name)),
    unreachable: status.unreachable.slice(0, MOST_ENTRIES).map(({ cluster, endpoint, reason }) => ({
      cluster: plainText(cluster, LIMITS.name),
      endpoint: plainText(endpoint, LIMITS.name),
      reason: plainText(reason, MOST_TEXT),
    })),
    memory: number(status.memoryBytes),
  };
}

function originOf({ viewOrigin }: ProxyStatus__Output): ReportedStatus['viewOrigin'] {
  if (viewOrigin === 'VIEW_ORIGIN_STREAM') return 'stream';
  return viewOrigin === 'VIEW_ORIGIN_DISK' ? 'disk' : null;
}

/** A value that this build does not know counts as up, as for a proxy that says nothing. */
function healthOf({ appHealth }: ProxyStatus__Output): ReportedStatus['app'] {
  if (appHealth === 'APP_HEALTH_UP') return 'up';
  return appHealth === 'APP_HEALTH_DOWN' ? 'down' : 'not-probed';
}

/** What somebody else wrote, for logs and terminals: cut, and without control characters. */
export function plainText(value: string, most: number): string {
  return value.slice(0, most).replaceAll(/\p{Cc}/gu, ' ');
}

/** JSON and arithmetic have no use for the others. */
function number(value: number): number {
  return Number.isFinite(value) && value > 0 ? Math.min(value, Number.MAX_SAFE_INTEGER) : 0;
}

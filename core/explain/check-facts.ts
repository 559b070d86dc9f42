// What a check of a mesh looks at: one moment's facts of the control plane, its proxies, its certificates and its disk.
import type { ConfigError } from '../config/problem.ts';
import type { Known } from './known.ts';

/** What a proxy says of itself; all times are milliseconds. */
export interface ProxyWord {
  readonly viewOrigin: 'stream' | 'disk' | 'unknown';
  readonly viewAge: number;
  readonly appHealth: 'up' | 'down' | 'not-probed';
  readonly appHealthReason: string;
  readonly draining: boolean;
  /** Its clock less that of the control plane; null: it has not said. */
  readonly clockSkew: number | null;
  readonly unbound: readonly string[];
  readonly unreachable: readonly UnreachableWord[];
}

export interface UnreachableWord {
  readonly cluster: string;
  readonly endpoint: string;
  readonly reason: string;
}

export interface ProxyFact {
  readonly name: string;
  /** A service, or `edge-<name>`. */
  readonly account: string;
  readonly program: string;
  /** End of its certificate: milliseconds since 1970. */
  readonly notAfter: number;
  /** Hash of the last view that it acknowledged; null: none on this stream. */
  readonly snapshot: string | null;
  /** Whether that was in force when the control plane told it. */
  readonly current: boolean;
  readonly refusal: { readonly code: string; readonly message: string } | null;
  /** 0: it is not called. */
  readonly inboundPort: number;
  /** Whether callers are told of it. */
  readonly registered: boolean;
  /** An operator has taken it out. */
  readonly drained: boolean;
  /** null: it says nothing of itself, as older ones do. */
  readonly word: ProxyWord | null;
}

export interface CertificateFact {
  readonly purpose: 'root' | 'issuing';
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

export interface DiskFact {
  readonly folder: string;
  /** Bytes that are left for us, and that there are. */
  readonly free: number;
  readonly size: number;
  readonly writable: boolean;
  /** Files with keys or tokens that others may read. */
  readonly exposed: readonly string[];
}

export interface MeshFacts {
  /** Clock of whoever checks: milliseconds since 1970. */
  readonly now: number;
  readonly controlPlane: {
    readonly version: string;
    /** Its clock: milliseconds since 1970. */
    readonly time: number;
    /** Configurations that it refused since its start. */
    readonly refusedConfigs: number;
    /** What is wrong with its files as they are now; '' where nothing is. */
    readonly configTrouble: string;
    /** End of its own certificate: milliseconds since 1970. */
    readonly notAfter: number;
  };
  /** null: nothing is in force. */
  readonly known: Known | null;
  /** What `weft validate` says of what is in force. */
  readonly warnings: readonly ConfigError[];
  readonly proxies: readonly ProxyFact[];
  readonly authority: readonly CertificateFact[];
  /** null: the control plane runs elsewhere. */
  readonly disk: DiskFact | null;
}

export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  /** Which check it is of. */
  readonly check: string;
  readonly words: string;
  /** What to do; '' where there is nothing to do. */
  readonly remedy: string;
  /** `file:line:column` of the configuration; '' where none is meant. */
  readonly at: string;
}

/** One check: everything that it found amiss; empty: nothing, and `fine` says so. */
export interface Check {
  readonly name: string;
  readonly find: (facts: MeshFacts) => readonly Finding[];
  readonly fine: (facts: MeshFacts) => string;
}

export function finding(check: string, level: Finding['level'], words: string, remedy = '', at = ''): Finding {
  return { level, check, words, remedy, at };
}

// What the API reads and does, as the rest of the control plane offers it.
import type { Authority } from '../../certs/authority/authority.ts';
import type { GrantLedger } from '../../certs/authority/ledger.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Result } from '../../core/kit/result.ts';
import type { Registry } from '../registry/registry.ts';
import type { AskAnswer, AskQuery } from '../server/asks.ts';
import type { StreamState } from '../server/proxy-stream.ts';
import type { Changes } from '../snapshot/changes.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';

export interface ApiFacts {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** End of the control plane's own certificate, in ms since 1970. */
  readonly certificateEnd: () => number;
  /** What is wrong with the watched files as they are now, in one line; '' where nothing is. */
  readonly configTrouble: () => string;
  readonly authority: Pick<Authority, 'trustDomain' | 'notAfter' | 'rootFingerprint' | 'bundle' | 'chain'>;
  readonly ledger: Pick<GrantLedger, 'grants'>;
  readonly registry: Pick<Registry, 'instances' | 'endpointsOf'>;
  readonly snapshots: Pick<SnapshotStore, 'snapshot' | 'locate'>;
  readonly changes: Pick<Changes, 'plan' | 'apply' | 'rollback' | 'known' | 'inForce' | 'audit'>;
  readonly counts: Readonly<Record<'acks' | 'nacks' | 'invalidConfigs', number>>;
  /** Proxies with an open stream, sorted by account and name. */
  readonly proxies: () => readonly StreamState[];
  /** Takes an instance out of every view: the callers that have not acknowledged that in time. The error is in words. */
  readonly hold: (instance: string) => Promise<Result<readonly string[], string>>;
  /** Lets it back; false: nobody has taken it out. */
  readonly release: (instance: string) => boolean;
  readonly log: Log;
  /** What a proxy has decided of late; the error is in words. */
  readonly ask: (instance: string, query: AskQuery) => Promise<AskAnswer>;
}

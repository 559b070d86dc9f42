// What an explanation is made from: one snapshot, where its rules stand, and what is known of the instances now.
import type { InstanceSource } from '../compile/view.ts';
import type { Snapshot } from '../compile/snapshot.ts';
import type { View } from '../model/view.ts';
import { viewFor } from '../compile/view.ts';
import type { Locate } from './place.ts';

export interface Known {
  /** By which it goes in logs; another version of Weft may name the same configuration otherwise. */
  readonly hash: string;
  readonly snapshot: Snapshot;
  readonly locate: Locate;
  /** null: nobody was asked. Static endpoints are known all the same. */
  readonly instances: InstanceSource | null;
  /** Requests in flight at an endpoint, as one proxy counts them; null: it was not asked, or does not know the endpoint. */
  readonly active?: (cluster: string, endpoint: string) => number | null;
  /** What is wrong with an instance, in words; null: nothing that is known. */
  readonly trouble?: (service: string, endpoint: string) => string | null;
}

/** What the proxy of an account runs; null: the snapshot knows no such account. */
export function viewOf({ snapshot, instances }: Known, account: string): View | null {
  return viewFor(snapshot, account, instances ?? (() => []));
}

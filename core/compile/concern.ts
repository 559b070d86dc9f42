// Whom a change concerns: what it costs follows those who have it in view, not the mesh.
import type { Snapshot } from './snapshot.ts';

/** Service → accounts that have it in view. */
export function accountsByService(snapshot: Snapshot): ReadonlyMap<string, ReadonlySet<string>> {
  const accounts = new Map<string, Set<string>>();
  for (const [account, { clusters }] of snapshot.accounts) {
    for (const { service } of clusters) {
      const known = accounts.get(service);
      if (known === undefined) accounts.set(service, new Set([account]));
      else known.add(account);
    }
  }
  return accounts;
}

/**
 * Accounts that came or went, or whose view is not made of the same resources as before. Only objects are compared: what
 * means the same is shared between a snapshot and the one it was compiled from. Instances are the registry's affair.
 */
export function changedAccounts(before: Snapshot | null, after: Snapshot): ReadonlySet<string> {
  const changed = new Set<string>();
  for (const account of before?.accounts.keys() ?? []) if (!after.accounts.has(account)) changed.add(account);
  for (const [account, resources] of after.accounts) {
    const known = before?.accounts.get(account);
    const same = known === resources && resources.clusters.every(({ name }) => sameStatic(name, before, after));
    if (!same) changed.add(account);
  }
  return changed;
}

function sameStatic(cluster: string, before: Snapshot | null, after: Snapshot): boolean {
  return before?.staticEndpoints.get(cluster) === after.staticEndpoints.get(cluster);
}

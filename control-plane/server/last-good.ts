// The last view of each account that one of its proxies has acknowledged, and the snapshot that one has refused: what
// newcomers get, and what who refused goes on with, until there is a newer snapshot.
import type { EncodedResource } from '../../proto/codec/encode.ts';

/** What a proxy should run: its view, encoded. */
export interface TargetView {
  readonly snapshot: string;
  readonly resources: readonly EncodedResource[];
}

interface Known {
  readonly good: TargetView | null;
  readonly refused: string | null;
}

export class LastGood {
  readonly #accounts = new Map<string, Known>();
  readonly #onTaken: (account: string) => void;

  /** `onTaken`: a snapshot that one proxy of the account has refused was taken by another. */
  constructor(onTaken: (account: string) => void) {
    this.#onTaken = onTaken;
  }

  acknowledged(account: string, view: TargetView): void {
    const refused = this.#accounts.get(account)?.refused ?? null;
    const taken = refused === view.snapshot;
    this.#accounts.set(account, { good: view, refused: taken ? null : refused });
    if (taken) this.#onTaken(account);
  }

  refused(account: string, snapshot: string): void {
    const good = this.#accounts.get(account)?.good ?? null;
    // Where another one has taken it, the fault is that proxy's own.
    if (good?.snapshot !== snapshot) this.#accounts.set(account, { good, refused: snapshot });
  }

  /** Some proxy of the account has refused it, and none has acknowledged it since. */
  isRefused(account: string, snapshot: string): boolean {
    return this.#accounts.get(account)?.refused === snapshot;
  }

  /** null: nothing was acknowledged since the start. */
  of(account: string): TargetView | null {
    return this.#accounts.get(account)?.good ?? null;
  }

  /** It is not in the configuration any more. */
  forget(account: string): void {
    this.#accounts.delete(account);
  }
}

/** An older view with the instances of today: who runs it must not call those that have gone. */
export function withEndpointsOf(view: TargetView, today: TargetView): TargetView {
  if (view.resources === today.resources) return view;
  const endpoints = new Map<string, EncodedResource>();
  for (const resource of today.resources) if (resource.type === 'endpoints') endpoints.set(resource.name, resource);
  const resources = view.resources.map((resource) =>
    resource.type === 'endpoints' ? (endpoints.get(resource.name) ?? resource) : resource,
  );
  return { snapshot: view.snapshot, resources };
}

// Whom a change is offered to. An instance that comes or goes concerns those who have its service in view, an edit those
// whose view it changes: they are offered it first, in one step for all that happens in one turn.
import { accountsByService, changedAccounts } from '../core/compile/concern.ts';
import type { Snapshot } from '../core/compile/snapshot.ts';
import { coalesce } from './lifecycle.ts';
import type { DiscoveryServer } from './server/discovery-server.ts';
import type { Views } from './snapshot/views.ts';

export interface OffersOptions {
  readonly views: Views;
  readonly snapshot: () => Snapshot | null;
  /** null before the port is open: there is nobody to offer anything. */
  readonly server: () => Pick<DiscoveryServer, 'offerTo' | 'offerInTurn'> | null;
}

export class Offers {
  readonly #options: OffersOptions;
  readonly #accounts = new Set<string>();
  #everybody = false;
  #compiled: Snapshot | null = null;
  /** Of the snapshot in `of`. */
  #index: { readonly of: Snapshot; readonly accounts: ReadonlyMap<string, ReadonlySet<string>> } | null = null;
  readonly #offering = coalesce(() => this.#offer());

  constructor(options: OffersOptions) {
    this.#options = options;
  }

  /** An instance of the service came, went or is somewhere else. */
  instanceChanged(service: string): void {
    const snapshot = this.#options.snapshot();
    if (snapshot === null) return;
    if (this.#index?.of !== snapshot) this.#index = { of: snapshot, accounts: accountsByService(snapshot) };
    const accounts = this.#index.accounts.get(service) ?? [];
    this.#options.views.move(service, accounts);
    this.#concerned(accounts);
  }

  /** Another snapshot is in force. Who it changes nothing for is told its name, after the others. */
  configurationChanged(): void {
    const snapshot = this.#options.snapshot();
    if (snapshot === null || snapshot === this.#compiled) return;
    const changed = changedAccounts(this.#compiled, snapshot);
    this.#compiled = snapshot;
    this.#options.views.restamp(snapshot.hash);
    this.#options.views.invalidate(changed);
    this.#concerned(changed);
    this.everybody();
  }

  everybody(): void {
    this.#everybody = true;
    this.#offering.ask();
  }

  close(): void {
    this.#offering.cancel();
  }

  #concerned(accounts: Iterable<string>): void {
    for (const account of accounts) this.#accounts.add(account);
    this.#offering.ask();
  }

  #offer(): void {
    const [server, accounts, everybody] = [this.#options.server(), new Set(this.#accounts), this.#everybody];
    this.#accounts.clear();
    this.#everybody = false;
    server?.offerTo(accounts);
    if (everybody) server?.offerInTurn();
  }
}

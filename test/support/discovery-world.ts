// A control plane without its files, joined as control-plane/start.ts joins it, and agents behind relays: all that a
// property test of the stream does to them, and what each of them must hold in the end.
import type { TestContext } from 'node:test';
import { parseConfig } from '../../core/config/parse.ts';
import { compileSnapshot, type Snapshot } from '../../core/compile/snapshot.ts';
import { viewFor } from '../../core/compile/view.ts';
import { MEMBERSHIP } from '../../core/decide/membership.ts';
import { err, ok } from '../../core/kit/result.ts';
import type { View } from '../../core/model/view.ts';
import { Offers } from '../../control-plane/offers.ts';
import { Registry, type Place } from '../../control-plane/registry/registry.ts';
import { DiscoveryServer } from '../../control-plane/server/discovery-server.ts';
import { SnapshotStore } from '../../control-plane/snapshot/snapshot-store.ts';
import { viewSource, Views } from '../../control-plane/snapshot/views.ts';
import { sha256Hex } from '../../host/hash.ts';
import { loadServices } from '../../proto/codec/services.ts';
import { Agent, systemClock } from '../../proxy/agent/agent.ts';
import { recordingLog } from './recording-log.ts';
import { startRelay, type Relay } from './relay.ts';
import type { TestAuthority, TestIdentity } from './test-authority.ts';

/** How a proxy takes the views that it is sent. */
export type Manner = 'takes' | 'slow' | 'refuses' | 'cannot';

/** Set by hand in the place of a proxy: an instance that only callers see. */
export interface Phantom {
  readonly account: string;
  readonly version: string | null;
  readonly instance: string;
}

const SLOW = 15;

export class WorldProxy {
  readonly identity: TestIdentity;
  readonly account: string;
  readonly relay: Relay;
  readonly log = recordingLog();
  manner: Manner = 'takes';
  /** What it runs; null: nothing yet. */
  view: View | null = null;
  /** Snapshots that it said no to for good. */
  readonly refused = new Set<string>();
  #agent: Agent | null = null;
  readonly #port: number;

  constructor(account: string, identity: TestIdentity, relay: Relay, port: number) {
    this.account = account;
    this.identity = identity;
    this.relay = relay;
    this.#port = port;
  }

  get agent(): Agent | null {
    return this.#agent;
  }

  /** Starts it anew, without anything from before. */
  start(): void {
    if (this.#agent !== null) return;
    this.view = null;
    this.#agent = new Agent({
      addresses: [{ host: '127.0.0.1', port: this.relay.port }],
      identity: this.identity,
      version: '0.1.0',
      inboundPort: this.#port,
      apply: (view) => this.#apply(view),
      log: this.log,
      clock: systemClock,
      backoff: { base: 10, cap: 40 },
      retry: { base: 20, cap: 40 },
    });
    this.#agent.start();
  }

  async stop(): Promise<void> {
    const agent = this.#agent;
    this.#agent = null;
    await agent?.close();
  }

  async #apply(view: View): Promise<ReturnType<typeof ok<void>> | ReturnType<typeof refusal>> {
    const { manner } = this;
    if (manner === 'slow') await new Promise((done) => setTimeout(done, SLOW));
    if (manner === 'refuses') {
      this.refused.add(view.snapshot);
      return refusal('view-invalid');
    }
    if (manner === 'cannot') return refusal('connect-failed');
    this.view = view;
    return ok(undefined);
  }
}

function refusal(code: 'view-invalid' | 'connect-failed') {
  return err({ code, resource: '', ruleId: '', message: 'no' });
}

export class DiscoveryWorld {
  readonly #authority: TestAuthority;
  readonly #snapshots = new SnapshotStore('shop.test', loadServices().discovery.Stream);
  readonly #phantoms = new Map<string, Place>();
  readonly log = recordingLog();
  /** Every snapshot that was ever in force. */
  readonly #history = new Map<string, Snapshot>();
  #views!: Views;
  #offers!: Offers;
  #registry!: Registry;
  #server: DiscoveryServer | null = null;
  #port = 0;
  #runs = 0;

  constructor(authority: TestAuthority) {
    this.#authority = authority;
  }

  async start(): Promise<void> {
    const before = this.#runs === 0 ? [] : this.#registry.instances();
    this.#registry = new Registry({
      policy: { ...MEMBERSHIP, grace: 60, massHold: 400, massReturn: 100 },
      now: () => performance.now(),
      after: systemClock.after,
    });
    this.#views = new Views(
      viewSource(
        () => this.#snapshots.snapshot,
        (cluster) => this.#registry.endpointsOf(cluster),
      ),
    );
    this.#offers = new Offers({
      views: this.#views,
      snapshot: () => this.#snapshots.snapshot,
      server: () => this.#server,
    });
    this.#offers.configurationChanged();
    this.#registry.expect(before, 150);
    const registry = this.#registry;
    this.#server = new DiscoveryServer({
      address: { host: '127.0.0.1', port: 0 },
      identity: this.#authority.server,
      peers: this.#authority,
      definition: loadServices().discovery,
      run: `run${++this.#runs}`,
      log: this.log,
      now: () => Date.now(),
      after: systemClock.after,
      viewOf: (account) => this.#views.of(account),
      join: (instance, callable) => registry.join(instance, callable),
      settled: () => true,
      locate: () => '',
      onAnswer: () => {},
    });
    this.#port = await this.#server.start();
    this.#registry.onChange((instance) => this.#offers.instanceChanged(instance.account));
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await server?.close();
    this.#offers.close();
    this.#registry.close();
    this.#phantoms.clear();
  }

  /** False: the text is not valid and changes nothing. */
  edit(yaml: string): boolean {
    const parsed = parseConfig([{ name: 'weft.yaml', text: yaml }]);
    if (!parsed.ok || !this.#snapshots.apply(parsed.value).ok) return false;
    const { snapshot } = this.#snapshots;
    if (snapshot !== null) {
      // Compiled afresh: what is compared with must not come from what is tested.
      const fresh = compileSnapshot(parsed.value.mesh, sha256Hex);
      if (!fresh.ok || fresh.value.hash !== snapshot.hash) throw new Error('compiled afresh it is another snapshot');
      this.#history.set(snapshot.hash, fresh.value);
    }
    if (this.#runs > 0) this.#offers.configurationChanged();
    return true;
  }

  async proxy(t: TestContext, account: string, instance: string, port: number): Promise<WorldProxy> {
    const relay = await startRelay(t, () => this.#port);
    return new WorldProxy(account, await this.#authority.svid(account, { instance }), relay, port);
  }

  /** Comes, goes at once, or is lost, by turns of what it is now. */
  phantom({ account, version, instance }: Phantom, does: 'comes' | 'leaves' | 'is lost' | 'is down' | 'is up'): void {
    const place = this.#phantoms.get(instance);
    if (does === 'comes') {
      const at = { account, version, instance, address: '10.0.0.1', inboundPort: 4_000 + instance.length };
      this.#phantoms.set(instance, this.#registry.join(at));
    } else if (does === 'leaves' || does === 'is lost') {
      place?.leave(does === 'leaves' ? 'left' : 'lost');
      this.#phantoms.delete(instance);
    } else place?.setCallable(does === 'is up');
  }

  /** What the control plane and the agents have to say, for who reads a failure. */
  describe(proxies: readonly WorldProxy[]): string {
    const streams = this.#server?.states().map((state) => JSON.stringify(state)) ?? [];
    const agents = proxies.map((proxy) =>
      [
        proxy.identity.instance,
        JSON.stringify(proxy.agent?.state),
        ...proxy.log.lines.slice(-5).map((line) => JSON.stringify(line)),
      ].join('\n    '),
    );
    return [
      `in force: ${this.hash}`,
      ...streams,
      ...agents,
      ...this.log.lines.slice(-10).map((line) => JSON.stringify(line)),
    ].join('\n  ');
  }

  get hash(): string {
    return this.#snapshots.snapshot?.hash ?? '';
  }

  /** Of the snapshot in force, compiled afresh, with the instances of now; null: no such account. */
  viewOf(account: string, hash: string = this.hash): View | null {
    const snapshot = this.#history.get(hash);
    if (snapshot === undefined) return null;
    return viewFor(snapshot, account, (cluster) => this.#registry.endpointsOf(cluster));
  }
}

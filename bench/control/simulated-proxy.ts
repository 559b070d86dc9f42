// One proxy as the control plane sees it: the agent's own connection, a stream that takes every response, remembers names
// and versions as the agent does and acknowledges at once; the data path behind it is left out.
import { setTimeout as after } from 'node:timers';
import { backoffDelay } from '../../core/kit/backoff.ts';
import { RESOURCE_TYPES, type ResourceType } from '../../core/model/view.ts';
import { modelWord, WIRE_TYPE } from '../../proto/codec/enums.ts';
import type { Endpoint__Output } from '../../proto/gen/weft/v1/Endpoint.ts';
import type { DiscoveryDefinition } from '../../proto/gen/weft/v1/Discovery.ts';
import type { DiscoveryRequest } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse__Output } from '../../proto/gen/weft/v1/DiscoveryResponse.ts';
import { connectDiscovery, type Connection } from '../../proxy/agent/channel.ts';
import type { ProxyIdentity } from './identities.ts';
import type { Address } from './messages.ts';

export interface Watcher {
  onResponse(proxy: SimulatedProxy, resources: number): void;
  /** An endpoint has come or gone in a cluster whose endpoints were known. */
  onEndpoint(proxy: SimulatedProxy, id: string, port: number, there: boolean): void;
  onAcknowledged(proxy: SimulatedProxy, first: boolean): void;
  onLost(proxy: SimulatedProxy): void;
  /** It would try to connect now: calls `connect`, at once or when there is room. */
  onTurn(proxy: SimulatedProxy, connect: () => void): void;
  /** The control plane has accepted the stream, or it has come to nothing. */
  onOpened(proxy: SimulatedProxy): void;
}

/** As proxy/agent has them. */
const KEEPALIVE = { time: 10_000, timeout: 5_000 };
const BACKOFF = { base: 500, cap: 5_000 };
const VERSION = '0.1.0';
/** Milliseconds between two words on load. */
const STATUS_EVERY = 60_000;

export class SimulatedProxy {
  readonly identity: ProxyIdentity;
  readonly #address: Address;
  readonly #method: DiscoveryDefinition['Stream'];
  readonly #watcher: Watcher;
  #port: number;
  #versions: Record<ResourceType, Map<string, string>> = emptyVersions();
  #endpoints = new Map<string, ReadonlyMap<string, number>>();
  #connection: Connection | null = null;
  #snapshot = '';
  #acknowledged = false;
  #failures = 0;
  #away = true;
  #cancelStatus: () => void = () => {};

  constructor(
    identity: ProxyIdentity,
    port: number,
    address: Address,
    method: DiscoveryDefinition['Stream'],
    watcher: Watcher,
  ) {
    this.identity = identity;
    this.#port = port;
    this.#address = address;
    this.#method = method;
    this.#watcher = watcher;
  }

  get port(): number {
    return this.#port;
  }

  /** Its stream has acknowledged what it was sent last. */
  get current(): boolean {
    return this.#acknowledged;
  }

  /** It has left, or was never there. */
  get away(): boolean {
    return this.#away;
  }

  join(port: number): void {
    this.#port = port;
    this.#away = false;
    // A process that starts anew: nothing is held.
    this.#versions = emptyVersions();
    this.#endpoints.clear();
    this.#turn();
  }

  leave(): void {
    this.#away = true;
    this.#acknowledged = false;
    this.#cancelStatus();
    this.#write({ subscriptions: RESOURCE_TYPES.map((type) => ({ type: WIRE_TYPE[type], unsubscribe: ['*'] })) });
    this.#connection?.stream.end();
    this.#connection = null;
  }

  #connect(): void {
    const connection = connectDiscovery(this.#address, this.identity, this.#method, KEEPALIVE);
    this.#connection = connection;
    const { stream } = connection;
    const giveUp = after(() => stream.cancel(), KEEPALIVE.timeout);
    stream.on('metadata', () => {
      clearTimeout(giveUp);
      this.#watcher.onOpened(this);
    });
    stream.on('error', () => {});
    stream.on('data', (response) => {
      if (this.#connection === connection) this.#take(response);
    });
    stream.on('status', () => {
      clearTimeout(giveUp);
      connection.close();
      this.#watcher.onOpened(this);
      if (this.#connection === connection) this.#lost();
    });
    this.#write({
      node: { version: VERSION, inboundPort: this.#port },
      subscriptions: RESOURCE_TYPES.map((type) => ({
        type: WIRE_TYPE[type],
        subscribe: ['*'],
        initialResourceVersions: Object.fromEntries(this.#versions[type]),
      })),
    });
  }

  #lost(): void {
    this.#connection = null;
    this.#cancelStatus();
    if (this.#away) return;
    // As in the agent: the first try after a loss that was connected waits for little.
    this.#failures = this.#acknowledged ? 0 : this.#failures + 1;
    this.#acknowledged = false;
    this.#watcher.onLost(this);
    const delay = backoffDelay(BACKOFF, Math.max(0, this.#failures - 1), Math.random());
    after(() => this.#turn(), delay);
  }

  #turn(): void {
    this.#watcher.onTurn(this, () => {
      if (this.#away || this.#connection !== null) this.#watcher.onOpened(this);
      else this.#connect();
    });
  }

  #take(response: DiscoveryResponse__Output): void {
    if (response.nonce === '') return;
    this.#watcher.onResponse(this, response.resources.length + response.removed.length);
    for (const { name, version, endpoints, ...body } of response.resources) {
      const type = typeOf(body);
      this.#versions[endpoints === undefined || endpoints === null ? type : 'endpoints'].set(name, version);
      if (endpoints !== undefined && endpoints !== null) this.#takeEndpoints(name, endpoints.endpoints);
    }
    for (const { type, name } of response.removed) {
      const known = modelWord(WIRE_TYPE, type);
      if (known !== undefined) this.#versions[known].delete(name);
      if (known === 'endpoints') this.#endpoints.delete(name);
    }
    this.#write({ responseNonce: response.nonce });
    const first = !this.#acknowledged;
    this.#acknowledged = true;
    if (first || response.snapshot !== this.#snapshot) this.#sayStatus(response.snapshot);
    this.#snapshot = response.snapshot;
    this.#watcher.onAcknowledged(this, first);
  }

  #takeEndpoints(cluster: string, endpoints: readonly Endpoint__Output[]): void {
    const known = this.#endpoints.get(cluster);
    const next = new Map(endpoints.map(({ id, port }) => [id, port]));
    this.#endpoints.set(cluster, next);
    if (known === undefined) return;
    for (const [id, port] of known) if (next.get(id) !== port) this.#watcher.onEndpoint(this, id, port, false);
    for (const [id, port] of next) if (known.get(id) !== port) this.#watcher.onEndpoint(this, id, port, true);
  }

  #sayStatus(snapshot: string): void {
    this.#cancelStatus();
    this.#write({
      status: {
        snapshot,
        viewOrigin: 'VIEW_ORIGIN_STREAM',
        appHealth: 'APP_HEALTH_UP',
        clockMs: Date.now(),
        requestsPerSecond: 12.5,
        memoryBytes: 50_000_000,
        certificateSerial: '00112233445566778899aabbccddeeff00112233',
      },
    });
    const timer = after(() => this.#sayStatus(this.#snapshot), STATUS_EVERY * (0.5 + Math.random()));
    this.#cancelStatus = () => clearTimeout(timer);
  }

  #write(request: DiscoveryRequest): void {
    this.#connection?.stream.write(request);
  }
}

function emptyVersions(): Record<ResourceType, Map<string, string>> {
  return { cluster: new Map(), endpoints: new Map(), listener: new Map(), routes: new Map() };
}

function typeOf(body: { readonly cluster?: unknown; readonly listener?: unknown }): ResourceType {
  if (body.cluster !== undefined && body.cluster !== null) return 'cluster';
  return body.listener === undefined || body.listener === null ? 'routes' : 'listener';
}

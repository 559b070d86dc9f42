// One discovery stream from its first message to its end: subscribes to everything, hands over one response
// at a time, sends the answer, and says why it ended.
import type { StatusObject } from '@grpc/grpc-js';
import { RESOURCE_TYPES } from '../../core/model/view.ts';
import { WIRE_TYPE } from '../../proto/codec/enums.ts';
import type { DiscoveryRequest } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse__Output } from '../../proto/gen/weft/v1/DiscoveryResponse.ts';
import type { ProxyStatus } from '../../proto/gen/weft/v1/ProxyStatus.ts';
import type { AgentClock, Refusal } from './agent.ts';
import type { Connection } from './channel.ts';
import { versionsByType, type Holdings } from './holdings.ts';

export interface SessionOptions {
  readonly connection: Connection;
  readonly clock: AgentClock;
  /** From the first packet to the headers, which a control plane that accepts sends at once; ms. */
  readonly connectTimeout: number;
  readonly version: string;
  readonly inboundPort: number;
  readonly held: Holdings;
  /** Goes with the message that says for the first time that a view runs; null: nothing does. */
  readonly status: () => ProxyStatus | null;
  readonly onConnected: () => void;
  /** Takes a response; null is ACK. Never rejects. */
  readonly onResponse: (response: DiscoveryResponse__Output) => Promise<Refusal | null>;
  /** What comes without a nonce and is not acknowledged. */
  readonly onNotice: (notice: DiscoveryResponse__Output) => void;
}

export interface SessionEnd {
  /** gRPC status name or number, for telling one trouble from another. */
  readonly code: number;
  readonly reason: string;
  /** Whether the control plane had accepted the stream. */
  readonly connected: boolean;
  /** Nobody listens there: asking again costs nobody anything. */
  readonly refused: boolean;
}

/** How long a goodbye may take. */
const GOODBYE_TIMEOUT = 500;

export class Session {
  readonly #options: SessionOptions;
  readonly ended: Promise<SessionEnd>;
  #connected = false;
  #busy: Promise<void> = Promise.resolve();
  #over = false;
  #cause = '';
  #cancelTimer: () => void;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { stream } = options.connection;
    const silent = () => this.cancel('the control plane does not answer');
    this.#cancelTimer = options.clock.after(options.connectTimeout, silent);
    stream.on('metadata', () => this.#onMetadata());
    stream.on('data', (response) => this.#onData(response));
    // Every end comes as `status` too, which is read below.
    stream.on('error', () => {});
    this.ended = new Promise((done) => {
      stream.on('status', (status) => void this.#finish(status).then(done));
    });
  }

  open(): void {
    const { connection, held, status } = this.#options;
    const resumed = held.snapshot === null ? null : status();
    connection.stream.write({ ...firstRequest(this.#options), ...(resumed === null ? {} : { status: resumed }) });
  }

  /** Beside the answers to views. */
  say(request: DiscoveryRequest): void {
    if (!this.#over) this.#options.connection.stream.write(request);
  }

  /** So much waits to be sent that the control plane does not read. */
  get congested(): boolean {
    return this.#options.connection.stream.writableNeedDrain;
  }

  /** Ends at once. The reason stands for the status that the library would make up. */
  cancel(reason: string): void {
    this.#cause = reason;
    this.#over = true;
    this.#options.connection.stream.cancel();
  }

  /** Unsubscribes: the control plane takes the instance out at once. The end comes by itself, or is forced soon. */
  goodbye(): void {
    if (!this.#connected) return this.cancel('closing');
    this.#over = true;
    const { connection, clock } = this.#options;
    // A half-close alone looks to the other end like a connection that broke.
    connection.stream.write({
      subscriptions: RESOURCE_TYPES.map((type) => ({ type: WIRE_TYPE[type], unsubscribe: ['*'] })),
    });
    connection.stream.end();
    this.#cancelTimer();
    this.#cancelTimer = clock.after(GOODBYE_TIMEOUT, () => connection.stream.cancel());
  }

  #onMetadata(): void {
    if (this.#connected || this.#over) return;
    this.#cancelTimer();
    this.#connected = true;
    this.#options.onConnected();
  }

  #onData(response: DiscoveryResponse__Output): void {
    if (this.#over) return;
    const { stream } = this.#options.connection;
    if (response.nonce === '') {
      if (holdsView(response)) return this.cancel('the control plane sent a response without a nonce');
      // A newer control plane may say more than is known here.
      return this.#options.onNotice(response);
    }
    // One at a time: what comes meanwhile waits in the transport, which has its own bound.
    stream.pause();
    this.#busy = this.#options.onResponse(response).then((refusal) => {
      if (this.#over) return;
      const status = refusal === null ? this.#options.status() : null;
      stream.write({ ...answer(response.nonce, refusal), ...(status === null ? {} : { status }) });
      stream.resume();
    });
  }

  /** A session has ended when nothing of it runs any more: the next one starts from what is held then. */
  async #finish(status: StatusObject): Promise<SessionEnd> {
    this.#over = true;
    this.#cancelTimer();
    await this.#busy;
    const { connection } = this.#options;
    connection.close();
    const reason = [this.#cause, connection.refusal(), status.details].find((text) => text !== '') ?? '';
    // The library tells it in words only.
    const refused = !this.#connected && status.details.includes('ECONNREFUSED');
    return { code: status.code, reason, connected: this.#connected, refused };
  }
}

function holdsView({ snapshot, resources, removed }: DiscoveryResponse__Output): boolean {
  return snapshot !== '' || resources.length > 0 || removed.length > 0;
}

function firstRequest({ version, inboundPort, held }: SessionOptions): DiscoveryRequest {
  const versions = versionsByType(held);
  return {
    node: { version, inboundPort },
    subscriptions: RESOURCE_TYPES.map((type) => ({
      type: WIRE_TYPE[type],
      subscribe: ['*'],
      initialResourceVersions: versions.get(type) ?? {},
    })),
  };
}

function answer(responseNonce: string, refusal: Refusal | null): DiscoveryRequest {
  return refusal === null ? { responseNonce } : { responseNonce, errorDetail: refusal };
}

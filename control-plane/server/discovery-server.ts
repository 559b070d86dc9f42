// The discovery port: mutual TLS, who may stream, every open stream, and the identity service beside it.
import {
  logVerbosity,
  Server,
  setLogVerbosity,
  status,
  type ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { MeshError } from '../../core/kit/error.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { DiscoveryDefinition, DiscoveryHandlers } from '../../proto/gen/weft/v1/Discovery.ts';
import type { Instance } from '../registry/registry.ts';
import { hostOfPeer } from '../registry/peer-address.ts';
import { BoundedRequests } from './bounded-request.ts';
import type { AskAnswer, AskQuery } from './asks.ts';
import { MutualTls, type ServerIdentity } from './credentials.ts';
import { DRAIN_BOUND, Drains } from './drains.ts';
import { LastGood } from './last-good.ts';
import { peerOf, type PeerPolicy } from './peer.ts';
import { RepeatedLog } from './repeated-log.ts';
import { StreamTable } from './stream-table.ts';
import { ProxyStream, type DiscoveryCall, type StreamContext, type StreamState } from './proxy-stream.ts';

export interface DiscoveryServerOptions extends Omit<StreamContext, 'repeated' | 'lastGood' | 'drains' | 'held'> {
  /** Port 0 is chosen by the system. */
  readonly address: HostPort;
  readonly identity: ServerIdentity;
  readonly peers: PeerPolicy;
  readonly definition: DiscoveryDefinition;
  /** Further services on the same port. */
  readonly services?: readonly {
    readonly definition: ServiceDefinition;
    readonly handlers: UntypedServiceImplementation;
  }[];
  /** Instances without a stream that count as there. Default: none. */
  readonly lost?: () => Iterable<Instance>;
  /** Begins the nonces: another one for each run of the control plane. */
  readonly run: string;
  /** Silence after which a proxy is pinged, and how long it has to answer, in ms. Default 10,000 and 5,000. */
  readonly keepalive?: { readonly time: number; readonly timeout: number };
}

/** A request is small; initial_resource_versions of a large view is the largest part of one. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** A connection without a call, in ms: identity calls are short. */
const MAX_IDLE = 20_000;
/** Instances that operators have taken out. */
const MOST_HELD = 10_000;
/** Some milliseconds. */
const OFFERS_PER_TURN = 32;
/** A proxy has one stream; more on one connection are a mistake or an attack. */
const MAX_STREAMS_PER_CONNECTION = 8;

export class DiscoveryServer {
  readonly #options: DiscoveryServerOptions;
  readonly #context: StreamContext;
  readonly #credentials: MutualTls;
  readonly #server: Server;
  readonly #requests: BoundedRequests;
  readonly #drains: Drains;
  /** Keys of the instances that an operator has taken out, also of those whose stream is lost. */
  readonly #held = new Set<string>();
  readonly #streams = new StreamTable<ProxyStream>();
  /** Somebody has refused a view, so that there may be streams with an older one than their account's. */
  #refusals = false;
  #opened = 0;
  #closed = false;
  readonly #waiting = new Set<ProxyStream>();
  #turn: NodeJS.Immediate | null = null;

  constructor(options: DiscoveryServerOptions) {
    this.#options = options;
    const { after, settled } = options;
    this.#drains = new Drains({
      after,
      settled,
      callers: () => this.#streams.values(),
      lost: options.lost ?? (() => []),
      calls: (account, concerns) =>
        options.viewOf(account)?.resources.some(({ type, name }) => type === 'endpoints' && concerns(name)) === true,
    });
    const lastGood = new LastGood((account) => {
      for (const stream of this.#streams.ofAccount(account)) stream.offer();
    });
    const repeated = new RepeatedLog(options.log, options.now);
    const onAnswer: StreamContext['onAnswer'] = (answer) => {
      this.#refusals ||= answer === 'nack';
      options.onAnswer(answer);
    };
    this.#context = { ...options, repeated, lastGood, drains: this.#drains, held: this.#held, onAnswer };
    this.#requests = new BoundedRequests(options.definition);
    this.#credentials = new MutualTls(options.identity);
    const { time = 10_000, timeout = 5_000 } = options.keepalive ?? {};
    this.#server = new Server({
      'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
      'grpc.max_connection_idle_ms': MAX_IDLE,
      'grpc.keepalive_time_ms': time,
      'grpc.keepalive_timeout_ms': timeout,
      // Books of every socket and call, which nobody here asks for.
      'grpc.enable_channelz': 0,
    });
  }

  /** Returns the bound port. Throws MeshError `address-in-use`. */
  async start(): Promise<number> {
    const handlers: DiscoveryHandlers = { Stream: (call) => this.#accept(call) };
    this.#server.addService(this.#requests.definition, handlers);
    for (const { definition, handlers: others } of this.#options.services ?? []) {
      this.#server.addService(definition, others);
    }
    return bind(this.#server, this.#options.address, this.#credentials);
  }

  /** The view of some proxies may have changed: each is sent what is new to it. */
  offerAll(): void {
    for (const stream of this.#streams.values()) stream.offer();
  }

  /** The views of these accounts have changed; who runs an older view than the others may hold anything. */
  offerTo(accounts: ReadonlySet<string>): void {
    for (const account of accounts) for (const stream of this.#streams.ofAccount(account)) stream.offer();
    if (!this.#refusals) return;
    for (const stream of this.#streams.values()) if (stream.instead && !accounts.has(stream.account)) stream.offer();
  }

  /** The same as `offerAll`, a few in each turn: what is urgent for some goes out in between. */
  offerInTurn(): void {
    for (const stream of this.#streams.values()) this.#waiting.add(stream);
    this.#turn ??= setImmediate(() => this.#takeTurn());
  }

  #takeTurn(): void {
    let left = OFFERS_PER_TURN;
    for (const stream of this.#waiting) {
      if (left-- === 0) break;
      this.#waiting.delete(stream);
      stream.offer();
    }
    this.#turn = this.#waiting.size === 0 ? null : setImmediate(() => this.#takeTurn());
  }

  /** New connections see the new certificate. */
  setIdentity(identity: ServerIdentity): void {
    this.#credentials.setIdentity(identity);
  }

  /** Every open stream, sorted by account and instance. */
  states(): StreamState[] {
    const byKey = [...this.#streams.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    return byKey.map(({ state }) => state);
  }

  /** Asks one proxy what it has decided of late; an error in words where it cannot tell. `instance`: `orders-7f3a`. */
  async ask(instance: string, query: AskQuery): Promise<AskAnswer> {
    return this.#streamOf(instance)?.ask(query) ?? err(`no proxy ${instance} is connected`);
  }

  /**
   * Takes an instance out of every view, until `release` or its goodbye. Resolves with the callers that have not
   * acknowledged that in time, each as `account/instance`; an error in words.
   */
  async hold(instance: string): Promise<Result<readonly string[], string>> {
    const stream = this.#streamOf(instance);
    if (stream === undefined) return err(`no proxy ${instance} is connected`);
    if (stream.state.status?.draining === true) return err(`${instance} leaves already`);
    if (this.#held.size >= MOST_HELD) return err(`${MOST_HELD} instances are taken out already`);
    this.#held.add(stream.key);
    return new Promise((done) => {
      // Who leaves by itself meanwhile is waited for in another way.
      const cancel = this.#options.after(DRAIN_BOUND + 1_000, () =>
        done(err(`${instance} left meanwhile, or was taken out by somebody else too`)),
      );
      stream.hold((late) => {
        cancel();
        done(ok(late));
      });
    });
  }

  /** Lets it back. False: nobody has taken it out. */
  release(instance: string): boolean {
    const key = this.#streamOf(instance)?.key ?? [...this.#held].find((each) => each.endsWith(`/${instance}`));
    if (key === undefined || !this.#held.delete(key)) return false;
    this.#streams.get(key)?.hold(null);
    return true;
  }

  #streamOf(instance: string): ProxyStream | undefined {
    return [...this.#streams.values()].find((stream) => stream.key.endsWith(`/${instance}`));
  }

  /** Cuts every stream at once: proxies keep serving and come back to whoever listens here next. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#drains.close();
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#waiting.clear();
    for (const stream of this.#streams.values()) stream.abandon();
    this.#streams.clear();
    this.#server.forceShutdown();
  }

  #accept(call: DiscoveryCall): void {
    // A stream that breaks is told by `cancelled` too; without a listener an error would end the process.
    call.on('error', () => {});
    // A handshake that was under way when everything was cut ends in a connection that nobody would ever be told of.
    if (this.#closed) return refuse(call, status.UNAVAILABLE, 'the control plane stops');
    const from = call.getPeer();
    const address = hostOfPeer(from);
    // It has gone already; an instance without an address would spoil the views of its callers.
    if (address === null) return refuse(call, status.UNAVAILABLE, 'the connection has no address');
    const certificate = call.getAuthContext()?.sslPeerCertificate?.raw ?? null;
    const peer = peerOf(certificate, this.#options.peers);
    if (!peer.ok) {
      this.#context.repeated.warn(`${address} ${peer.error}`, { from, reason: peer.error }, 'a peer was refused');
      return refuse(call, status.UNAUTHENTICATED, peer.error);
    }
    const facts = {
      peer: peer.value,
      address,
      prefix: `${this.#options.run}-${++this.#opened}-`,
    };
    const stream: ProxyStream = new ProxyStream(call, facts, this.#context, (how) => {
      if (how === 'left') this.#held.delete(stream.key);
      this.#streams.remove(stream);
    });
    this.#streams.get(stream.key)?.end(status.ABORTED, 'another stream of the same instance was opened');
    this.#streams.add(stream);
    listen(call, stream, this.#requests);
  }
}

function refuse(call: DiscoveryCall, code: status, details: string): void {
  call.emit('error', Object.assign(new Error(details), { code, details }));
}

function listen(call: DiscoveryCall, stream: ProxyStream, requests: BoundedRequests): void {
  call.on('data', (request) => {
    const flaw = requests.flawOf(request);
    if (flaw === null) stream.receive(request);
    else stream.end(status.INVALID_ARGUMENT, flaw);
  });
  call.on('end', () => {
    stream.gone('lost');
    call.end();
  });
  call.on('cancelled', () => stream.gone('lost'));
  call.on('close', () => stream.gone('lost'));
}

/** Binds a gRPC server. Throws MeshError `address-in-use`, in words. */
export function bind(server: Server, address: HostPort, credentials: ServerCredentials): Promise<number> {
  // The library would print a failed bind on stderr beside our own line.
  setLogVerbosity(logVerbosity.NONE);
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const target = `${host}:${address.port}`;
  return new Promise((done, fail) => {
    server.bindAsync(target, credentials, (cause, port) => {
      if (cause === null) done(port);
      else fail(bindError(target, cause));
    });
  });
}

/** The library hides the errno in a text. */
function bindError(target: string, cause: Error): MeshError {
  const inUse = cause.message.includes('EADDRINUSE');
  const reason = /\[(.*)\]/.exec(cause.message)?.[1] ?? cause.message.replace(/ for target dns:.*$/, '');
  const hint = inUse ? 'stop what listens there or choose another port' : 'choose another address or port';
  return new MeshError('address-in-use', { detail: inUse ? target : `${target}: ${reason}`, hint, cause });
}

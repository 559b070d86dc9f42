// One proxy's stream: requests go into the ledger, what the ledger lets out goes to the proxy. The instance
// joins the registry once it runs a view: with its first ACK, or at once where it comes back with one.
import { Metadata, status, type ServerDuplexStream } from '@grpc/grpc-js';
import { backoffDelay, type BackoffPolicy } from '../../core/kit/backoff.ts';
import { describeError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import { err } from '../../core/kit/result.ts';
import { versionFlaw } from '../../core/decide/peer-version.ts';
import { VERSION } from '../../host/version.ts';
import { LIMITS } from '../../proto/codec/fields.ts';
import type { DiscoveryRequest__Output } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse } from '../../proto/gen/weft/v1/DiscoveryResponse.ts';
import type { ProxyStatus__Output } from '../../proto/gen/weft/v1/ProxyStatus.ts';
import type { ErrorDetail__Output } from '../../proto/gen/weft/v1/ErrorDetail.ts';
import { instanceKey, type Instance, type Place } from '../registry/registry.ts';
import { Asks, type AskAnswer, type AskQuery } from './asks.ts';
import type { Caller, Drains } from './drains.ts';
import type { LastGood, TargetView } from './last-good.ts';
import { StreamLedger, type Answer } from './ledger.ts';
import type { StreamPeer } from './peer.ts';
import type { RepeatedLog } from './repeated-log.ts';
import { plainText, readStatus, type ReportedStatus } from './reported-status.ts';
import { StatusRate } from './status-rate.ts';
import { Standing } from './standing.ts';

export type DiscoveryCall = ServerDuplexStream<DiscoveryRequest__Output, DiscoveryResponse>;

/** What a stream needs of the server around it. */
export interface StreamContext {
  readonly log: Log;
  /** For the ends of streams, which a proxy that tries again repeats. */
  readonly repeated: RepeatedLog;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls once after `ms`; the returned function cancels. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** null: the account is not in the config. */
  readonly viewOf: (account: string) => TargetView | null;
  /** `callable`: undefined where the proxy has not said how it is. */
  readonly join: (instance: Instance, callable: boolean | undefined) => Place;
  /** False while a restarted control plane waits for the instances that it does not know yet. */
  readonly settled: () => boolean;
  /** Whether the instances are known nevertheless, so that who runs a view already can be sent the next; default: `settled`. */
  readonly remembers?: () => boolean;
  /** `file:line:column` of a rule; '' where it is not known. */
  readonly locate: (ruleId: string) => string;
  readonly onAnswer: (answer: 'ack' | 'nack') => void;
  readonly lastGood: LastGood;
  readonly drains: Drains;
  /** Keys of the instances that an operator has taken out. */
  readonly held: ReadonlySet<string>;
}

/** What the server found out about a stream before it began. */
export interface StreamFacts {
  readonly peer: StreamPeer;
  /** Where the control plane sees it. */
  readonly address: string;
  /** Begins its nonces. */
  readonly prefix: string;
}

export interface StreamState extends Instance {
  readonly proxyVersion: string;
  /** Snapshot of the last acknowledged view; null: none on this stream. */
  readonly snapshot: string | null;
  /** Its last NACK, until it takes the newest view again. */
  readonly refusal: { readonly code: string; readonly message: string } | null;
  /** Since when the stream is open, ms since 1970. */
  readonly since: number;
  /** End of the certificate with which it connected, ms since 1970. */
  readonly notAfter: number;
  /** What it last said of itself; null: nothing, as older proxies do. */
  readonly status: ReportedStatus | null;
  /** An operator has taken it out of every view. */
  readonly held: boolean;
}

/** Who opens a stream says who it is within so many ms. */
const GREETING_TIMEOUT = 10_000;
/** Before a view that was refused for a passing reason is sent again in the place of an older one. */
const RETRY: BackoffPolicy = { base: 5_000, cap: 60_000 };

type StreamGone = (how: 'lost' | 'left') => void;

export class ProxyStream implements Caller {
  readonly #call: DiscoveryCall;
  readonly #peer: StreamPeer;
  readonly #address: string;
  readonly #context: StreamContext;
  readonly #onGone: StreamGone;
  readonly #ledger: StreamLedger;
  #node: { version: string; inboundPort: number } | null = null;
  readonly #standing: Standing;
  readonly #statuses = new StatusRate();
  readonly #asks: Asks;
  readonly #since: number;
  #refusal: StreamState['refusal'] = null;
  #strayNonces = 0;
  #retries = 0;
  #cancelTimer: () => void;
  #open = true;

  constructor(call: DiscoveryCall, facts: StreamFacts, context: StreamContext, onGone: StreamGone) {
    this.#call = call;
    this.#peer = facts.peer;
    this.#address = facts.address;
    this.#context = context;
    this.#onGone = onGone;
    this.#ledger = new StreamLedger(facts.prefix);
    this.#since = context.now();
    this.#asks = new Asks({ after: context.after, send: (ask) => this.#write({ ask }) });
    this.#standing = new Standing({
      key: this.key,
      instance: () => this.#instance(),
      join: context.join,
      drains: context.drains,
      held: () => context.held.has(this.key),
      log: context.log,
      onDrained: () => this.#write({ drained: true }),
    });
    const silent = () => this.end(status.DEADLINE_EXCEEDED, 'nothing was said on the stream');
    this.#cancelTimer = context.after(GREETING_TIMEOUT, silent);
  }

  get state(): StreamState {
    return {
      ...this.#instance(),
      proxyVersion: this.#node?.version ?? '',
      snapshot: this.#ledger.acknowledged,
      refusal: this.#refusal,
      since: this.#since,
      notAfter: this.#peer.notAfter,
      status: this.#standing.status,
      held: this.#context.held.has(this.key),
    };
  }

  get account(): string {
    return this.#peer.account;
  }

  /** It runs an older view in the place of one that was refused. */
  get instead(): boolean {
    return this.#ledger.instead;
  }

  get key(): string {
    return instanceKey(this.#peer);
  }

  /** Sends what is new to this proxy, if it is its turn. */
  offer(): void {
    this.#guard(() => this.#offer());
  }

  isPast(epoch: number, concerns: (cluster: string) => boolean): boolean {
    return this.#ledger.isPast(epoch, concerns);
  }

  /** Asks for decisions; an error in words where it cannot tell. */
  async ask(query: AskQuery): Promise<AskAnswer> {
    if (this.#standing.status === null) return err('its version does not answer questions');
    return this.#asks.ask(query);
  }

  /** An operator takes it out or, with null, lets it back. */
  hold(onDone: ((late: readonly string[]) => void) | null): void {
    if (onDone === null) this.#standing.release();
    else this.#standing.hold(onDone);
  }

  receive(request: DiscoveryRequest__Output): void {
    this.#guard(() => this.#receive(request));
  }

  /** A fault that one proxy meets must not reach the others. */
  #guard(work: () => void): void {
    if (!this.#open) return;
    try {
      work();
    } catch (error) {
      this.#context.log.error({ ...this.#who(), error: describeError(error) }, 'a fault in a stream');
      this.end(status.INTERNAL, 'a fault inside the control plane');
    }
  }

  #offer(): void {
    if (this.#node === null) return;
    if (this.#context.now() >= this.#peer.notAfter) return this.end(status.UNAUTHENTICATED, 'the certificate expired');
    const target = this.#view();
    const { lastGood, drains, settled, remembers = settled } = this.#context;
    if (target === null || (this.#ledger.resumed && !remembers())) return;
    const { account } = this.#peer;
    const precedent = { good: lastGood.of(account), refused: lastGood.isRefused(account, target.snapshot) };
    const response = this.#ledger.next(target, precedent, drains.epoch);
    if (response !== null) this.#write(response);
    drains.heard(this);
  }

  #write(response: DiscoveryResponse): void {
    if (this.#open) this.#call.write(response);
  }

  /** null: there is none for this account, and the stream was ended with that reason. */
  #view(): TargetView | null {
    const target = this.#context.viewOf(this.#peer.account);
    if (target !== null) return target;
    this.#context.lastGood.forget(this.#peer.account);
    this.end(status.FAILED_PRECONDITION, this.#notConfigured);
    return null;
  }

  #receive(request: DiscoveryRequest__Output): void {
    if (this.#node === null) {
      const refusal = this.#greet(request);
      if (refusal !== null) return this.end(status.INVALID_ARGUMENT, refusal);
      if (this.#view() === null) return;
      // The headers tell the proxy that it was accepted, also where there is nothing to send yet.
      this.#call.sendMetadata(new Metadata());
    }
    // Before what it acknowledges: an instance whose app is down is not called for a moment.
    if (request.status !== null && !this.#report(request.status)) return;
    if (request.answer !== null) this.#asks.answer(request.answer);
    this.#take(this.#ledger.receive(request));
    if (!this.#open) return;
    if (this.#ledger.finished) return this.gone('left');
    if (this.#ledger.resumed) this.#standing.join();
    this.#offer();
  }

  /** False: the stream was ended. */
  #report(said: ProxyStatus__Output): boolean {
    const now = this.#context.now();
    const often = !this.#statuses.take(now);
    if (often) this.end(status.RESOURCE_EXHAUSTED, 'it says too often how it is');
    else this.#standing.report(readStatus(said, now));
    return !often;
  }

  #greet({ node }: DiscoveryRequest__Output): string | null {
    if (node === null) return 'the first message of a stream must say which node it is of';
    if (node.inboundPort > 65_535) return 'inbound_port is out of range';
    const flaw = versionFlaw(VERSION, node.version);
    if (flaw !== null) return flaw;
    this.#node = { version: node.version, inboundPort: node.inboundPort };
    this.#cancelTimer();
    return null;
  }

  #take(answer: Answer): void {
    switch (answer.kind) {
      case 'none':
        return;
      case 'ack':
        this.#context.repeated.forget(`${this.key} ${this.#notConfigured}`);
        this.#context.onAnswer('ack');
        this.#context.log.debug({ ...this.#who(), snapshot: answer.view.snapshot }, 'view acknowledged');
        return this.#acknowledged(answer.view);
      case 'nack':
        this.#context.onAnswer('nack');
        if (this.#ledger.everything) this.#context.lastGood.refused(this.#peer.account, answer.snapshot);
        return this.#refuse(answer.snapshot, answer.error);
      case 'stale':
        return this.#context.log.debug(this.#who(), 'a stale nonce was ignored');
      case 'unknown-nonce':
        // Once per stream: who repeats it must not fill the log.
        if (this.#strayNonces++ === 0) this.#context.log.warn(this.#who(), 'a nonce that was never given was ignored');
        return;
      case 'refused':
        return this.end(status.INVALID_ARGUMENT, answer.reason);
    }
  }

  #acknowledged(view: TargetView): void {
    const { lastGood, after } = this.#context;
    // What was asked for by name is no whole view, which another proxy could run, and an older one is no news.
    if (this.#ledger.everything && !this.#ledger.instead) lastGood.acknowledged(this.#peer.account, view);
    this.#cancelTimer();
    if (this.#ledger.mayRetry) {
      this.#cancelTimer = after(backoffDelay(RETRY, this.#retries++, 1), () => {
        this.#ledger.forgive();
        this.offer();
      });
    } else if (!this.#ledger.instead) {
      this.#retries = 0;
      this.#refusal = null;
    }
    this.#standing.join();
  }

  #refuse(snapshot: string, error: ErrorDetail__Output): void {
    const bounded = (text: string) => plainText(text, LIMITS.ruleId);
    this.#refusal = { code: bounded(error.code), message: bounded(error.message) };
    const at = this.#context.locate(error.ruleId);
    this.#context.log.warn(
      {
        ...this.#who(),
        snapshot,
        code: bounded(error.code),
        resource: bounded(error.resource),
        rule: bounded(error.ruleId),
        at,
      },
      `view refused: ${bounded(error.message)}${at === '' ? '' : ` (${at})`}`,
    );
  }

  get #notConfigured(): string {
    return `${this.#peer.account} is not in the configuration`;
  }

  #instance(): Instance {
    const { account, version, instance } = this.#peer;
    return { account, version, instance, address: this.#address, inboundPort: this.#node?.inboundPort ?? 0 };
  }

  #who() {
    return { account: this.#peer.account, instance: this.#peer.instance };
  }

  /** Ends the stream with a status that the proxy logs. */
  end(code: status, reason: string): void {
    if (!this.#open) return;
    // A newer stream of the same instance is how a renewed certificate looks from here.
    if (code === status.ABORTED) this.#context.log.info({ ...this.#who(), reason }, 'stream ended');
    else this.#context.repeated.warn(`${this.key} ${reason}`, { ...this.#who(), reason }, 'stream ended');
    this.gone('lost');
    this.#call.emit('error', Object.assign(new Error(reason), { code, details: reason }));
  }

  /** The control plane ends: nothing that comes any more means anything, and nobody is lost by it. */
  abandon(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#cancelTimer();
    this.#asks.end();
    // Without channelz the library knows no connection that it could cut: the proxy would find out by silence.
    const details = 'the control plane stops';
    this.#call.emit('error', Object.assign(new Error(details), { code: status.UNAVAILABLE, details }));
  }

  /** The stream is over: who `left` said goodbye, who is `lost` may come back. */
  gone(how: 'lost' | 'left'): void {
    if (!this.#open) return;
    this.#open = false;
    this.#cancelTimer();
    this.#asks.end();
    this.#onGone(how);
    this.#standing.leave(how);
  }
}

// The books of one stream, without the stream: what is subscribed, what the proxy acknowledged, what it was
// sent and has not answered. Decides what each request means and what may be sent next. Semantics of xDS.
import { nonce, type Nonce } from '../../core/model/brand.ts';
import type { ErrorDetail__Output } from '../../proto/gen/weft/v1/ErrorDetail.ts';
import type { DiscoveryRequest__Output } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse } from '../../proto/gen/weft/v1/DiscoveryResponse.ts';
import type { EncodedResource } from '../../proto/codec/encode.ts';
import { WIRE_TYPE } from '../../proto/codec/enums.ts';
import { parseResourceKey, resourceKey } from '../../proto/codec/view.ts';
import { deltaOf, holdingsOf, type Holdings, type RemovedResource } from '../delta/delta.ts';
import { withEndpointsOf, type TargetView } from './last-good.ts';
import { Subscriptions } from './subscriptions.ts';

/** What a request said about an earlier response. */
export type Answer =
  | { readonly kind: 'none' }
  | { readonly kind: 'ack'; readonly view: TargetView }
  | { readonly kind: 'nack'; readonly snapshot: string; readonly error: ErrorDetail__Output }
  /** An answer to a response that a later one has replaced: ignored. */
  | { readonly kind: 'stale' }
  /** A nonce that was never given out on this stream: ignored. */
  | { readonly kind: 'unknown-nonce' }
  /** The stream cannot go on. */
  | { readonly kind: 'refused'; readonly reason: string };

/** What the proxies of the same account have said. */
export interface Precedent {
  /** The last view that one of them took; null: none yet. */
  readonly good: TargetView | null;
  /** One of them has refused the target. */
  readonly refused: boolean;
}

const UNHEARD: Precedent = { good: null, refused: false };

interface Pending {
  readonly nonce: Nonce;
  readonly view: TargetView;
  readonly holdings: Holdings;
  /** What was asked for by name, that it brings or says is not there. */
  readonly answered: readonly string[];
  readonly instead: boolean;
  readonly epoch: number;
}

interface Chosen {
  readonly view: TargetView;
  /** Those of it that are asked for. */
  readonly resources: readonly EncodedResource[];
  /** It stands in for one that was refused. */
  readonly instead: boolean;
}

interface Refused {
  readonly holdings: Holdings;
  /** Other endpoints may make it another matter: the fault was none of the view's form. */
  readonly local: boolean;
}

export class StreamLedger {
  /** Makes nonces differ between streams. */
  readonly #prefix: string;
  readonly #subscriptions = new Subscriptions();
  #held: Holdings = new Map();
  /** Asked for by name and not answered yet. */
  readonly #asked = new Set<string>();
  #pending: Pending | null = null;
  /** Something was unsubscribed while a response was in flight. */
  #unsubscribed = false;
  #sent = 0;
  /** What the proxy has said no to, by snapshot. */
  readonly #refused = new Map<string, Refused>();
  #acknowledged: string | null = null;
  /** What was acknowledged last on this stream; null: nothing yet. */
  #own: TargetView | null = null;
  /** What it took last was an older view, in the place of one that was refused. */
  #instead = false;
  #resumed = false;
  #began = false;
  #currentAt = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The proxy came with resources from before: it runs already. */
  get resumed(): boolean {
    return this.#resumed;
  }

  /** It was subscribed to something and is to nothing any more: how a proxy says goodbye. */
  get finished(): boolean {
    return this.#began && this.#subscriptions.empty;
  }

  /** It asked for the whole view. */
  get everything(): boolean {
    return this.#subscriptions.everything;
  }

  /** Snapshot of the last view that was acknowledged on this stream; null: none yet. */
  get acknowledged(): string | null {
    return this.#acknowledged;
  }

  /** The proxy runs an older view in the place of one that was refused. */
  get instead(): boolean {
    return this.#instead;
  }

  /** The proxy runs an older view because it refused a newer one for a reason that may pass. */
  get mayRetry(): boolean {
    return this.#instead && [...this.#refused.values()].some(({ local }) => local);
  }

  /** What was refused may be sent again. */
  forgive(): void {
    this.#refused.clear();
    this.#instead = false;
  }

  /**
   * Whether the proxy has acknowledged a view that was cut at or after `epoch`, or holds nothing of these clusters
   * and is not about to.
   */
  isPast(epoch: number, concerns: (cluster: string) => boolean): boolean {
    return this.#currentAt >= epoch || !(holdsAny(this.#held, concerns) || holdsAny(this.#pending?.holdings, concerns));
  }

  receive(request: DiscoveryRequest__Output): Answer {
    const changed = this.#subscriptions.change(request.subscriptions);
    if (!changed.ok) return { kind: 'refused', reason: changed.error };
    this.#began ||= !this.#subscriptions.empty;
    const { held, named, less } = changed.value;
    this.#resumed ||= held.size > 0;
    if (held.size > 0) this.#held = new Map([...this.#held, ...held]);
    for (const key of named) this.#asked.add(key);
    if (less || held.size > 0) this.#forgetUnsubscribed();
    return request.responseNonce === '' ? { kind: 'none' } : this.#answer(request.responseNonce, request.errorDetail);
  }

  /** xDS: who unsubscribes forgets, so nothing is removed by a response. */
  #forgetUnsubscribed(): void {
    this.#unsubscribed = true;
    const wanted = (key: string): boolean => {
      const resource = parseResourceKey(key);
      return resource !== null && this.#subscriptions.wants(resource.type, resource.name);
    };
    this.#held = new Map([...this.#held].filter(([key]) => wanted(key)));
    for (const key of this.#asked) if (!wanted(key)) this.#asked.delete(key);
  }

  #answer(answered: string, error: ErrorDetail__Output | null): Answer {
    const pending = this.#pending;
    if (pending === null || pending.nonce !== answered) {
      return this.#gaveOut(answered) ? { kind: 'stale' } : { kind: 'unknown-nonce' };
    }
    this.#pending = null;
    const { snapshot } = pending.view;
    if (error !== null) {
      // Of a snapshot that it took before, only the endpoints can have displeased it.
      const local = error.code !== 'view-invalid' || this.#acknowledged === snapshot;
      this.#refused.set(snapshot, { holdings: pending.holdings, local });
      return { kind: 'nack', snapshot, error };
    }
    this.#acknowledge(pending);
    return { kind: 'ack', view: pending.view };
  }

  #acknowledge(pending: Pending): void {
    this.#held = pending.holdings;
    for (const key of pending.answered) this.#asked.delete(key);
    if (this.#unsubscribed) this.#forgetUnsubscribed();
    this.#unsubscribed = false;
    this.#acknowledged = pending.view.snapshot;
    this.#own = pending.view;
    this.#instead = pending.instead;
    this.#currentAt = pending.epoch;
    if (!pending.instead) this.#refused.clear();
  }

  #gaveOut(answered: string): boolean {
    const number = answered.startsWith(this.#prefix) ? answered.slice(this.#prefix.length) : '';
    return /^[1-9][0-9]{0,14}$/.test(number) && Number(number) <= this.#sent;
  }

  /**
   * The next response, now in flight; null: nothing to say. One at a time, always towards the latest view:
   * what changed meanwhile goes out in one step once the proxy has answered.
   *
   * @param epoch counts the moments that `isPast` asks for
   */
  next(target: TargetView, precedent: Precedent = UNHEARD, epoch = 0): DiscoveryResponse | null {
    if (this.#pending !== null || this.#subscriptions.empty) return null;
    const chosen = this.#choose(target, precedent);
    if (chosen === null) return null;
    const { view, resources, instead } = chosen;
    const { changed, removed } = deltaOf(this.#held, resources, this.#asked);
    const missing = this.#missingFrom(resources);
    if (changed.length + removed.length + missing.length === 0 && this.#needsNoWord(chosen)) {
      this.#currentAt = epoch;
      return null;
    }
    const given = nonce(`${this.#prefix}${++this.#sent}`);
    const holdings = holdingsOf(resources);
    this.#pending = { nonce: given, view, holdings, answered: [...this.#asked], instead, epoch };
    return {
      nonce: given,
      snapshot: view.snapshot,
      resources: changed.map(({ wire }) => wire),
      removed: [...removed, ...missing].map(({ type, name }) => ({ type: WIRE_TYPE[type], name })),
    };
  }

  /** An empty delta is sent too where the proxy does not know the snapshot yet: its log lines name it. */
  #needsNoWord({ view, instead }: Chosen): boolean {
    const runs = this.#acknowledged !== null || this.#resumed;
    return this.#acknowledged === view.snapshot || (instead && runs);
  }

  /**
   * The target, or the view that the account took last, or what this proxy took last itself: what was not refused. Older
   * ones have the endpoints of today, since instances come and go under a proxy that a newer sibling leaves behind, too.
   */
  #choose(target: TargetView, { good, refused }: Precedent): Chosen | null {
    for (const snapshot of this.#refused.keys()) {
      const kept = [target.snapshot, good?.snapshot, this.#own?.snapshot];
      if (!kept.includes(snapshot)) this.#refused.delete(snapshot);
    }
    const newest = this.#chosen(target, false);
    if (this.#refused.size === 0 && !refused) return newest;
    const older = good === null ? null : this.#chosen(withEndpointsOf(good, target), true);
    const newcomer = this.#acknowledged === null ? !this.#resumed : this.#instead;
    const own = this.#own === null ? null : this.#chosen(withEndpointsOf(this.#own, target), true);
    const inOrder = refused && newcomer ? [older, newest, own] : [newest, older, own];
    return inOrder.find((chosen) => chosen !== null && !this.#isRefused(chosen)) ?? null;
  }

  #chosen(view: TargetView, instead: boolean): Chosen {
    const { everything } = this.#subscriptions;
    const wanted = ({ type, name }: EncodedResource) => this.#subscriptions.wants(type, name);
    return { view, resources: everything ? view.resources : view.resources.filter(wanted), instead };
  }

  #isRefused({ view, resources }: Chosen): boolean {
    const refused = this.#refused.get(view.snapshot);
    if (refused === undefined) return false;
    return !refused.local || isHeldBy(refused.holdings, resources);
  }

  #missingFrom(resources: readonly EncodedResource[]): RemovedResource[] {
    if (this.#asked.size === 0) return [];
    const there = holdingsOf(resources);
    return [...this.#asked].flatMap((key) => {
      const resource = there.has(key) || this.#held.has(key) ? null : parseResourceKey(key);
      return resource === null ? [] : [resource];
    });
  }
}

function isHeldBy(holdings: Holdings, resources: readonly EncodedResource[]): boolean {
  const same = ({ type, name, version }: EncodedResource) => holdings.get(resourceKey(type, name)) === version;
  return holdings.size === resources.length && resources.every(same);
}

function holdsAny(holdings: Holdings | undefined, concerns: (cluster: string) => boolean): boolean {
  for (const key of holdings?.keys() ?? []) {
    if (key.startsWith('endpoints/') && concerns(key.slice('endpoints/'.length))) return true;
  }
  return false;
}

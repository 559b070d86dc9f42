// The books of one stream, without the stream: what is subscribed, what the proxy acknowledged, what it was
// sent and has not answered. Decides what each request means and what may be sent next. Semantics of xDS.
import { nonce, type Nonce } from '../../core/model/brand.ts';
import type { ErrorDetail__Output } from '../../proto/gen/weft/v1/ErrorDetail.ts';
import type { DiscoveryRequest__Output } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse } from '../../proto/gen/weft/v1/DiscoveryResponse.ts';
import type { EncodedResource } from '../../proto/codec/encode.ts';
import { WIRE_TYPE } from '../../proto/codec/enums.ts';
import { parseResourceKey, resourceKey } from '../../proto/codec/view.ts';
import { deltaOf, holdingsOf, type Holdings } from '../delta/delta.ts';
import { Subscriptions } from './subscriptions.ts';

/** What a proxy should run: its view, encoded. */
export interface TargetView {
  readonly snapshot: string;
  readonly resources: readonly EncodedResource[];
}

/** What a request said about an earlier response. */
export type Answer =
  | { readonly kind: 'none' }
  | { readonly kind: 'ack'; readonly snapshot: string }
  | { readonly kind: 'nack'; readonly snapshot: string; readonly error: ErrorDetail__Output }
  /** An answer to a response that a later one has replaced: ignored. */
  | { readonly kind: 'stale' }
  /** A nonce that was never given out on this stream: ignored. */
  | { readonly kind: 'unknown-nonce' }
  /** The stream cannot go on. */
  | { readonly kind: 'refused'; readonly reason: string };

interface Pending {
  readonly nonce: Nonce;
  readonly snapshot: string;
  readonly holdings: Holdings;
  readonly fingerprint: string;
}

export class StreamLedger {
  /** Makes nonces differ between streams. */
  readonly #prefix: string;
  readonly #subscriptions = new Subscriptions();
  #held: Map<string, string> = new Map();
  #pending: Pending | null = null;
  #sent = 0;
  /** What the proxy has said no to: not sent again until it differs. */
  #refused: string | null = null;
  #acknowledged: string | null = null;
  #resumed = false;
  #began = false;

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

  /** Snapshot of the last view that was acknowledged on this stream; null: none yet. */
  get acknowledged(): string | null {
    return this.#acknowledged;
  }

  receive(request: DiscoveryRequest__Output): Answer {
    const changed = this.#subscriptions.change(request.subscriptions);
    if (!changed.ok) return { kind: 'refused', reason: changed.error };
    this.#began ||= !this.#subscriptions.empty;
    for (const [key, version] of changed.value) {
      this.#held.set(key, version);
      this.#resumed = true;
    }
    this.#forgetUnsubscribed();
    return request.responseNonce === '' ? { kind: 'none' } : this.#answer(request.responseNonce, request.errorDetail);
  }

  /** xDS: who unsubscribes forgets, so nothing is removed by a response. */
  #forgetUnsubscribed(): void {
    for (const key of this.#held.keys()) {
      const resource = parseResourceKey(key);
      if (resource === null || !this.#subscriptions.wants(resource.type, resource.name)) this.#held.delete(key);
    }
  }

  #answer(answered: string, error: ErrorDetail__Output | null): Answer {
    const pending = this.#pending;
    if (pending === null || pending.nonce !== answered) {
      return this.#gaveOut(answered) ? { kind: 'stale' } : { kind: 'unknown-nonce' };
    }
    this.#pending = null;
    if (error !== null) {
      this.#refused = pending.fingerprint;
      return { kind: 'nack', snapshot: pending.snapshot, error };
    }
    this.#held = new Map(pending.holdings);
    this.#forgetUnsubscribed();
    this.#refused = null;
    this.#acknowledged = pending.snapshot;
    return { kind: 'ack', snapshot: pending.snapshot };
  }

  #gaveOut(answered: string): boolean {
    const number = answered.startsWith(this.#prefix) ? answered.slice(this.#prefix.length) : '';
    return /^[1-9][0-9]{0,14}$/.test(number) && Number(number) <= this.#sent;
  }

  /**
   * The next response, now in flight; null: nothing to say. One at a time, always towards the latest view:
   * what changed meanwhile goes out in one step once the proxy has answered.
   */
  next(target: TargetView): DiscoveryResponse | null {
    if (this.#pending !== null || this.#subscriptions.empty) return null;
    const resources = target.resources.filter(({ type, name }) => this.#subscriptions.wants(type, name));
    const fingerprint = fingerprintOf(target.snapshot, resources);
    if (fingerprint === this.#refused) return null;
    const { changed, removed } = deltaOf(this.#held, resources);
    // An empty delta is sent too where the proxy does not know the snapshot yet: its log lines name it.
    const nothingNew = changed.length === 0 && removed.length === 0;
    if (nothingNew && this.#acknowledged === target.snapshot) return null;
    const given = nonce(`${this.#prefix}${++this.#sent}`);
    this.#pending = { nonce: given, snapshot: target.snapshot, holdings: holdingsOf(resources), fingerprint };
    return {
      nonce: given,
      snapshot: target.snapshot,
      resources: changed.map(({ wire }) => wire),
      removed: removed.map(({ type, name }) => ({ type: WIRE_TYPE[type], name })),
    };
  }
}

function fingerprintOf(snapshot: string, resources: readonly EncodedResource[]): string {
  const parts = resources.map(({ type, name, version }) => `${resourceKey(type, name)}=${version}`);
  return `${snapshot} ${parts.sort().join(' ')}`;
}

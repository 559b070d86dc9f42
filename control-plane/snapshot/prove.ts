// A snapshot is proven before it is published: every resource of every view goes over the wire and through the
// decoder of the proxies, here. What they would refuse never replaces what they run.
import type { Snapshot } from '../../core/compile/snapshot.ts';
import type { RouteTable } from '../../core/model/view.ts';
import { decodeResource } from '../../proto/codec/decode.ts';
import { ViewEncoder, type EncodedResource } from '../../proto/codec/encode.ts';
import { describeFlaw, LIMITS, type Flaw } from '../../proto/codec/fields.ts';
import type { Resource } from '../../proto/gen/weft/v1/Resource.ts';
import type { DiscoveryDefinition } from '../../proto/gen/weft/v1/Discovery.ts';

/** Writes and reads a response; the method of the discovery service. */
export type ResponseCodec = Pick<DiscoveryDefinition['Stream'], 'responseSerialize' | 'responseDeserialize'>;

/** Resources that are proven at once: what is made for it is gone before the next ones come. */
const BATCH = 256;
/** The version of what no proxy gets. */
const UNSENT = 'unsent';

export interface Unfit {
  readonly ruleId: string;
  readonly message: string;
}

/** Remembers what it has proven: snapshots share the resources that did not change. */
export class Prover {
  readonly #codec: ResponseCodec;
  readonly #proven = new WeakSet<object>();

  constructor(codec: ResponseCodec) {
    this.#codec = codec;
  }

  /** What a proxy would refuse of this snapshot; empty: nothing. References are the compiler's affair. */
  unfit(snapshot: Snapshot): Unfit[] {
    // What is wrong is said with its place in the whole table.
    return this.#prove(snapshot, (table) => this.#unproven(table)).length === 0
      ? []
      : this.#prove(snapshot, (table) => table);
  }

  #prove(snapshot: Snapshot, part: (table: RouteTable) => RouteTable): Unfit[] {
    const encoder = new ViewEncoder(() => UNSENT);
    const objects = new Set<object>();
    const unfit: Unfit[] = [];
    let batch: Resource[] = [];
    const send = () => {
      unfit.push(...this.#refusedOf(batch));
      batch = [];
    };
    const add = <T extends object>(all: Iterable<T>, encode: (fresh: T) => EncodedResource) => {
      for (const one of all) {
        if (objects.has(one) || this.#proven.has(one)) continue;
        objects.add(one);
        batch.push(encode(one).wire);
        if (batch.length === BATCH) send();
      }
    };
    for (const account of snapshot.accounts.values()) {
      if (this.#proven.has(account)) continue;
      add(account.clusters, (cluster) => encoder.cluster(cluster));
      add(account.listeners, (listener) => encoder.listener(listener));
      add(account.routes, (table) => {
        for (const route of table.routes) objects.add(route);
        return encoder.routes(part(table));
      });
      objects.add(account);
    }
    add(snapshot.staticEndpoints.values(), (endpoints) => encoder.endpoints(endpoints));
    send();
    if (unfit.length === 0) for (const object of objects) this.#proven.add(object);
    return unfit;
  }

  #refusedOf(resources: Resource[]): Unfit[] {
    const bytes = this.#codec.responseSerialize({ resources });
    return this.#codec.responseDeserialize(bytes).resources.flatMap((wire) => {
      const decoded = decodeResource(wire);
      return decoded.ok ? [] : [unfitOf(decoded.error)];
    });
  }

  /** An edge has thousands of routes, of which an edit changes one. */
  #unproven(table: RouteTable): RouteTable {
    if (table.routes.length > LIMITS.routes) return table;
    return { ...table, routes: table.routes.filter((route) => !this.#proven.has(route)) };
  }
}

function unfitOf(flaw: Flaw): Unfit {
  return { ruleId: flaw.ruleId, message: `no proxy would take it: ${describeFlaw(flaw)}` };
}

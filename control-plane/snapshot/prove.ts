// A snapshot is proven before it is published: every resource of every view goes over the wire and through the
// decoder of the proxies, here. What they would refuse never replaces what they run.
import { viewFor } from '../../core/compile/view.ts';
import type { Snapshot } from '../../core/compile/snapshot.ts';
import { decodeResource } from '../../proto/codec/decode.ts';
import { ViewEncoder, type EncodedResource } from '../../proto/codec/encode.ts';
import { describeFlaw, type Flaw } from '../../proto/codec/fields.ts';
import type { DiscoveryDefinition } from '../../proto/gen/weft/v1/Discovery.ts';

/** Writes and reads a response; the method of the discovery service. */
export type ResponseCodec = Pick<DiscoveryDefinition['Stream'], 'responseSerialize' | 'responseDeserialize'>;

export interface Unfit {
  readonly ruleId: string;
  readonly message: string;
}

/** What a proxy would refuse of this snapshot; empty: nothing. References are the compiler's affair. */
export function unfitResources(snapshot: Snapshot, codec: ResponseCodec): Unfit[] {
  const encoder = new ViewEncoder();
  const resources = new Map<string, EncodedResource>();
  for (const account of snapshot.accounts.keys()) {
    const view = viewFor(snapshot, account, () => []);
    if (view === null) continue;
    // Accounts share most of their resources; each is proven once. One `inbound` per account is another one each.
    for (const one of encoder.encode(view)) resources.set(`${one.type}/${one.name}/${one.version}`, one);
  }
  const bytes = codec.responseSerialize({ resources: [...resources.values()].map(({ wire }) => wire) });
  return codec.responseDeserialize(bytes).resources.flatMap((wire) => {
    const decoded = decodeResource(wire);
    return decoded.ok ? [] : [unfit(decoded.error)];
  });
}

function unfit(flaw: Flaw): Unfit {
  return { ruleId: flaw.ruleId, message: `no proxy would take it: ${describeFlaw(flaw)}` };
}

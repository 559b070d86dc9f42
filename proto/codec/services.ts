// The gRPC service definitions of weft.v1, made from the descriptor that is embedded as JSON: no .proto
// file is read or parsed when a process starts.
import { fromJSON } from '@grpc/proto-loader';
import descriptor from '../gen/descriptor.json' with { type: 'json' };
import type { DiscoveryDefinition } from '../gen/weft/v1/Discovery.ts';
import type { IdentityDefinition } from '../gen/weft/v1/Identity.ts';
import type { JoinDefinition } from '../gen/weft/v1/Join.ts';

export interface Services {
  readonly discovery: DiscoveryDefinition;
  readonly identity: IdentityDefinition;
  readonly join: JoinDefinition;
}

/** Parses the descriptor: once per process, at start. */
export function loadServices(): Services {
  // The options are those with which proto/gen was generated (tools/proto.ts).
  // The compiler infers the JSON's own shape, in which an optional key is missing rather than undefined.
  const json = descriptor as unknown as Parameters<typeof fromJSON>[0];
  const loaded = fromJSON(json, { longs: Number, enums: String, defaults: true, oneofs: true });
  // proto-loader types every definition alike; the generated ones describe the same objects, field by field.
  return {
    discovery: loaded['weft.v1.Discovery'] as unknown as DiscoveryDefinition,
    identity: loaded['weft.v1.Identity'] as unknown as IdentityDefinition,
    join: loaded['weft.v1.Join'] as unknown as JoinDefinition,
  };
}

// What the TCP stage must be told about a listener: where its connections go. A mode compiles one when config applies.
import type { MeshError } from '../../core/kit/error.ts';
import type { RuleId } from '../../core/model/brand.ts';
import type { ClusterHandle, ConnectionInfo, ConnectionRecord } from '../exchange.ts';

/** What a matched rule does. Made when config applies, shared by every connection that takes it. */
export interface TcpAction {
  readonly ruleId: RuleId;
  /** Milliseconds without a byte in either direction; 0: for ever. */
  readonly idleTimeout: number;
  /** The cluster for this connection, by weight; null: the rule leads nowhere. */
  choose(): ClusterHandle | null;
}

export interface TcpPlan {
  /** Where it goes, or why not. Fills `record.route` and `record.rule`, and `record.decisionId` where it denies. */
  route(connection: ConnectionInfo, record: ConnectionRecord): TcpAction | MeshError;
  /** Once per connection, at its end. */
  record(record: ConnectionRecord): void;
}

// Original file: weft/v1/resources.proto

import type { RouteMatch as _weft_v1_RouteMatch, RouteMatch__Output as _weft_v1_RouteMatch__Output } from '../../weft/v1/RouteMatch.ts';
import type { WeightedCluster as _weft_v1_WeightedCluster, WeightedCluster__Output as _weft_v1_WeightedCluster__Output } from '../../weft/v1/WeightedCluster.ts';
import type { PrefixRewrite as _weft_v1_PrefixRewrite, PrefixRewrite__Output as _weft_v1_PrefixRewrite__Output } from '../../weft/v1/PrefixRewrite.ts';
import type { IdleTimeout as _weft_v1_IdleTimeout, IdleTimeout__Output as _weft_v1_IdleTimeout__Output } from '../../weft/v1/IdleTimeout.ts';

export interface Route {
  'ruleId'?: (string);
  'match'?: (_weft_v1_RouteMatch | null);
  'split'?: (_weft_v1_WeightedCluster)[];
  'rewrite'?: (_weft_v1_PrefixRewrite | null);
  'timeoutMs'?: (number);
  /**
   * 0: none.
   */
  'perTryTimeoutMs'?: (number);
  /**
   * Absent: the default.
   */
  'idleTimeout'?: (_weft_v1_IdleTimeout | null);
}

export interface Route__Output {
  'ruleId': (string);
  'match': (_weft_v1_RouteMatch__Output | null);
  'split': (_weft_v1_WeightedCluster__Output)[];
  'rewrite': (_weft_v1_PrefixRewrite__Output | null);
  'timeoutMs': (number);
  /**
   * 0: none.
   */
  'perTryTimeoutMs': (number);
  /**
   * Absent: the default.
   */
  'idleTimeout': (_weft_v1_IdleTimeout__Output | null);
}

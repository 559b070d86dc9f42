// Original file: weft/v1/resources.proto

import type { WeightedCluster as _weft_v1_WeightedCluster, WeightedCluster__Output as _weft_v1_WeightedCluster__Output } from '../../weft/v1/WeightedCluster.ts';

export interface TcpRoute {
  'ruleId'?: (string);
  /**
   * Of TLS that is passed through. Empty: every connection.
   */
  'sni'?: (string)[];
  'split'?: (_weft_v1_WeightedCluster)[];
  'idleTimeoutMs'?: (number);
}

export interface TcpRoute__Output {
  'ruleId': (string);
  /**
   * Of TLS that is passed through. Empty: every connection.
   */
  'sni': (string)[];
  'split': (_weft_v1_WeightedCluster__Output)[];
  'idleTimeoutMs': (number);
}

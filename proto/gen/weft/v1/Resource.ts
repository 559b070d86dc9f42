// Original file: weft/v1/discovery.proto

import type { Cluster as _weft_v1_Cluster, Cluster__Output as _weft_v1_Cluster__Output } from '../../weft/v1/Cluster.ts';
import type { ClusterEndpoints as _weft_v1_ClusterEndpoints, ClusterEndpoints__Output as _weft_v1_ClusterEndpoints__Output } from '../../weft/v1/ClusterEndpoints.ts';
import type { Listener as _weft_v1_Listener, Listener__Output as _weft_v1_Listener__Output } from '../../weft/v1/Listener.ts';
import type { RouteTable as _weft_v1_RouteTable, RouteTable__Output as _weft_v1_RouteTable__Output } from '../../weft/v1/RouteTable.ts';

export interface Resource {
  'name'?: (string);
  /**
   * Content hash of the body.
   */
  'version'?: (string);
  'cluster'?: (_weft_v1_Cluster | null);
  'endpoints'?: (_weft_v1_ClusterEndpoints | null);
  'listener'?: (_weft_v1_Listener | null);
  'routes'?: (_weft_v1_RouteTable | null);
  'body'?: "cluster"|"endpoints"|"listener"|"routes";
}

export interface Resource__Output {
  'name': (string);
  /**
   * Content hash of the body.
   */
  'version': (string);
  'cluster'?: (_weft_v1_Cluster__Output | null);
  'endpoints'?: (_weft_v1_ClusterEndpoints__Output | null);
  'listener'?: (_weft_v1_Listener__Output | null);
  'routes'?: (_weft_v1_RouteTable__Output | null);
  'body'?: "cluster"|"endpoints"|"listener"|"routes";
}

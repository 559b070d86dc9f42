// Original file: weft/v1/resources.proto

import type { Endpoint as _weft_v1_Endpoint, Endpoint__Output as _weft_v1_Endpoint__Output } from '../../weft/v1/Endpoint.ts';

export interface ClusterEndpoints {
  'cluster'?: (string);
  'endpoints'?: (_weft_v1_Endpoint)[];
}

export interface ClusterEndpoints__Output {
  'cluster': (string);
  'endpoints': (_weft_v1_Endpoint__Output)[];
}

// Original file: weft/v1/resources.proto

import type { EdgeTls as _weft_v1_EdgeTls, EdgeTls__Output as _weft_v1_EdgeTls__Output } from '../../weft/v1/EdgeTls.ts';

export interface EdgeListener {
  'edge'?: (string);
  'address'?: (string);
  'port'?: (number);
  'hosts'?: (string)[];
  'tls'?: (_weft_v1_EdgeTls);
  'routes'?: (string);
}

export interface EdgeListener__Output {
  'edge': (string);
  'address': (string);
  'port': (number);
  'hosts': (string)[];
  'tls': (_weft_v1_EdgeTls__Output);
  'routes': (string);
}

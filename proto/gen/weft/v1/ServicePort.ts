// Original file: weft/v1/resources.proto

import type { Protocol as _weft_v1_Protocol, Protocol__Output as _weft_v1_Protocol__Output } from '../../weft/v1/Protocol.ts';

export interface ServicePort {
  'name'?: (string);
  'port'?: (number);
  'protocol'?: (_weft_v1_Protocol);
}

export interface ServicePort__Output {
  'name': (string);
  'port': (number);
  'protocol': (_weft_v1_Protocol__Output);
}

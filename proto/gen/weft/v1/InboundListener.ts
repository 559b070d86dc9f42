// Original file: weft/v1/resources.proto

import type { AuthorizationPolicy as _weft_v1_AuthorizationPolicy, AuthorizationPolicy__Output as _weft_v1_AuthorizationPolicy__Output } from '../../weft/v1/AuthorizationPolicy.ts';
import type { Protocol as _weft_v1_Protocol, Protocol__Output as _weft_v1_Protocol__Output } from '../../weft/v1/Protocol.ts';

export interface InboundListener {
  'service'?: (string);
  'appPort'?: (number);
  'policy'?: (_weft_v1_AuthorizationPolicy | null);
  'timeoutMs'?: (number);
  'protocol'?: (_weft_v1_Protocol);
}

export interface InboundListener__Output {
  'service': (string);
  'appPort': (number);
  'policy': (_weft_v1_AuthorizationPolicy__Output | null);
  'timeoutMs': (number);
  'protocol': (_weft_v1_Protocol__Output);
}

// Original file: weft/v1/resources.proto

import type { InboundListener as _weft_v1_InboundListener, InboundListener__Output as _weft_v1_InboundListener__Output } from '../../weft/v1/InboundListener.ts';
import type { OutboundListener as _weft_v1_OutboundListener, OutboundListener__Output as _weft_v1_OutboundListener__Output } from '../../weft/v1/OutboundListener.ts';
import type { EdgeListener as _weft_v1_EdgeListener, EdgeListener__Output as _weft_v1_EdgeListener__Output } from '../../weft/v1/EdgeListener.ts';

export interface Listener {
  'name'?: (string);
  'ruleId'?: (string);
  'inbound'?: (_weft_v1_InboundListener | null);
  'outbound'?: (_weft_v1_OutboundListener | null);
  'edge'?: (_weft_v1_EdgeListener | null);
  'kind'?: "inbound"|"outbound"|"edge";
}

export interface Listener__Output {
  'name': (string);
  'ruleId': (string);
  'inbound'?: (_weft_v1_InboundListener__Output | null);
  'outbound'?: (_weft_v1_OutboundListener__Output | null);
  'edge'?: (_weft_v1_EdgeListener__Output | null);
  'kind'?: "inbound"|"outbound"|"edge";
}

// Original file: weft/v1/resources.proto

import type { AllowRule as _weft_v1_AllowRule, AllowRule__Output as _weft_v1_AllowRule__Output } from '../../weft/v1/AllowRule.ts';

export interface AllowList {
  'rules'?: (_weft_v1_AllowRule)[];
}

export interface AllowList__Output {
  'rules': (_weft_v1_AllowRule__Output)[];
}

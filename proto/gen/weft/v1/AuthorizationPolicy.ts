// Original file: weft/v1/resources.proto

import type { Caller as _weft_v1_Caller, Caller__Output as _weft_v1_Caller__Output } from '../../weft/v1/Caller.ts';
import type { AllowList as _weft_v1_AllowList, AllowList__Output as _weft_v1_AllowList__Output } from '../../weft/v1/AllowList.ts';

export interface AuthorizationPolicy {
  'callers'?: (_weft_v1_Caller)[];
  /**
   * Absent: callers alone decide. Present and empty: nobody.
   */
  'allow'?: (_weft_v1_AllowList | null);
  'denyRuleId'?: (string);
}

export interface AuthorizationPolicy__Output {
  'callers': (_weft_v1_Caller__Output)[];
  /**
   * Absent: callers alone decide. Present and empty: nobody.
   */
  'allow': (_weft_v1_AllowList__Output | null);
  'denyRuleId': (string);
}

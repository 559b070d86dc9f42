// Original file: weft/v1/resources.proto

import type { PathPattern as _weft_v1_PathPattern, PathPattern__Output as _weft_v1_PathPattern__Output } from '../../weft/v1/PathPattern.ts';

export interface AllowRule {
  'from'?: (string)[];
  'methods'?: (string)[];
  'paths'?: (_weft_v1_PathPattern)[];
  'ruleId'?: (string);
}

export interface AllowRule__Output {
  'from': (string)[];
  'methods': (string)[];
  'paths': (_weft_v1_PathPattern__Output)[];
  'ruleId': (string);
}

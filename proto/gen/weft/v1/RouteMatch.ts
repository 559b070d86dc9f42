// Original file: weft/v1/resources.proto

import type { PathPattern as _weft_v1_PathPattern, PathPattern__Output as _weft_v1_PathPattern__Output } from '../../weft/v1/PathPattern.ts';
import type { NameValue as _weft_v1_NameValue, NameValue__Output as _weft_v1_NameValue__Output } from '../../weft/v1/NameValue.ts';

export interface RouteMatch {
  'hosts'?: (string)[];
  'path'?: (_weft_v1_PathPattern | null);
  'methods'?: (string)[];
  'headers'?: (_weft_v1_NameValue)[];
  'query'?: (_weft_v1_NameValue)[];
}

export interface RouteMatch__Output {
  'hosts': (string)[];
  'path': (_weft_v1_PathPattern__Output | null);
  'methods': (string)[];
  'headers': (_weft_v1_NameValue__Output)[];
  'query': (_weft_v1_NameValue__Output)[];
}

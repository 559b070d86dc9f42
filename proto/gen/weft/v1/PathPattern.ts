// Original file: weft/v1/resources.proto

import type { PathKind as _weft_v1_PathKind, PathKind__Output as _weft_v1_PathKind__Output } from '../../weft/v1/PathKind.ts';

export interface PathPattern {
  'kind'?: (_weft_v1_PathKind);
  'path'?: (string);
}

export interface PathPattern__Output {
  'kind': (_weft_v1_PathKind__Output);
  'path': (string);
}

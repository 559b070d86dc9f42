// Original file: weft/v1/discovery.proto

import type { ResourceType as _weft_v1_ResourceType, ResourceType__Output as _weft_v1_ResourceType__Output } from '../../weft/v1/ResourceType.ts';

export interface ResourceName {
  'type'?: (_weft_v1_ResourceType);
  'name'?: (string);
}

export interface ResourceName__Output {
  'type': (_weft_v1_ResourceType__Output);
  'name': (string);
}

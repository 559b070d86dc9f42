// Original file: weft/v1/discovery.proto

import type { ResourceType as _weft_v1_ResourceType, ResourceType__Output as _weft_v1_ResourceType__Output } from '../../weft/v1/ResourceType.ts';

export interface Subscription {
  'type'?: (_weft_v1_ResourceType);
  /**
   * `*` is everything of the view.
   */
  'subscribe'?: (string)[];
  'unsubscribe'?: (string)[];
  /**
   * What the proxy still holds from before a reconnect: name → version.
   */
  'initialResourceVersions'?: ({[key: string]: string});
}

export interface Subscription__Output {
  'type': (_weft_v1_ResourceType__Output);
  /**
   * `*` is everything of the view.
   */
  'subscribe': (string)[];
  'unsubscribe': (string)[];
  /**
   * What the proxy still holds from before a reconnect: name → version.
   */
  'initialResourceVersions': ({[key: string]: string});
}

// Original file: weft/v1/discovery.proto

import type { Resource as _weft_v1_Resource, Resource__Output as _weft_v1_Resource__Output } from '../../weft/v1/Resource.ts';
import type { ResourceName as _weft_v1_ResourceName, ResourceName__Output as _weft_v1_ResourceName__Output } from '../../weft/v1/ResourceName.ts';

/**
 * One atomic step from one view to the next: the proxy takes all of it or none.
 */
export interface DiscoveryResponse {
  'nonce'?: (string);
  /**
   * Hash of the snapshot that the view is cut from.
   */
  'snapshot'?: (string);
  /**
   * In the order in which they are to be added: clusters, endpoints, listeners, routes.
   */
  'resources'?: (_weft_v1_Resource)[];
  /**
   * Removed last.
   */
  'removed'?: (_weft_v1_ResourceName)[];
}

/**
 * One atomic step from one view to the next: the proxy takes all of it or none.
 */
export interface DiscoveryResponse__Output {
  'nonce': (string);
  /**
   * Hash of the snapshot that the view is cut from.
   */
  'snapshot': (string);
  /**
   * In the order in which they are to be added: clusters, endpoints, listeners, routes.
   */
  'resources': (_weft_v1_Resource__Output)[];
  /**
   * Removed last.
   */
  'removed': (_weft_v1_ResourceName__Output)[];
}

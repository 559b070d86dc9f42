// Original file: weft/v1/discovery.proto

import type { Resource as _weft_v1_Resource, Resource__Output as _weft_v1_Resource__Output } from '../../weft/v1/Resource.ts';
import type { ResourceName as _weft_v1_ResourceName, ResourceName__Output as _weft_v1_ResourceName__Output } from '../../weft/v1/ResourceName.ts';
import type { DecisionsQuery as _weft_v1_DecisionsQuery, DecisionsQuery__Output as _weft_v1_DecisionsQuery__Output } from '../../weft/v1/DecisionsQuery.ts';

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
   * Removed last. Also a name that was subscribed to and does not exist (yet).
   */
  'removed'?: (_weft_v1_ResourceName)[];
  /**
   * Without a nonce the message is no view and is not acknowledged: only what follows counts. Sent only to a proxy
   * that has sent a status.
   */
  'ask'?: (_weft_v1_DecisionsQuery | null);
  /**
   * Every caller has acknowledged that this instance takes no calls, or was waited for long enough.
   */
  'drained'?: (boolean);
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
   * Removed last. Also a name that was subscribed to and does not exist (yet).
   */
  'removed': (_weft_v1_ResourceName__Output)[];
  /**
   * Without a nonce the message is no view and is not acknowledged: only what follows counts. Sent only to a proxy
   * that has sent a status.
   */
  'ask': (_weft_v1_DecisionsQuery__Output | null);
  /**
   * Every caller has acknowledged that this instance takes no calls, or was waited for long enough.
   */
  'drained': (boolean);
}

// Original file: weft/v1/discovery.proto

import type { Node as _weft_v1_Node, Node__Output as _weft_v1_Node__Output } from '../../weft/v1/Node.ts';
import type { Subscription as _weft_v1_Subscription, Subscription__Output as _weft_v1_Subscription__Output } from '../../weft/v1/Subscription.ts';
import type { ErrorDetail as _weft_v1_ErrorDetail, ErrorDetail__Output as _weft_v1_ErrorDetail__Output } from '../../weft/v1/ErrorDetail.ts';

export interface DiscoveryRequest {
  /**
   * On the first message of a stream only.
   */
  'node'?: (_weft_v1_Node | null);
  /**
   * Changes to what is subscribed; a type that was never named gets nothing.
   */
  'subscriptions'?: (_weft_v1_Subscription)[];
  /**
   * The response that this answers; empty on the first message and on mere subscription changes.
   */
  'responseNonce'?: (string);
  /**
   * Present: the response named by the nonce was refused and the old view stays (NACK).
   */
  'errorDetail'?: (_weft_v1_ErrorDetail | null);
}

export interface DiscoveryRequest__Output {
  /**
   * On the first message of a stream only.
   */
  'node': (_weft_v1_Node__Output | null);
  /**
   * Changes to what is subscribed; a type that was never named gets nothing.
   */
  'subscriptions': (_weft_v1_Subscription__Output)[];
  /**
   * The response that this answers; empty on the first message and on mere subscription changes.
   */
  'responseNonce': (string);
  /**
   * Present: the response named by the nonce was refused and the old view stays (NACK).
   */
  'errorDetail': (_weft_v1_ErrorDetail__Output | null);
}

// Original file: weft/v1/discovery.proto

import type { Node as _weft_v1_Node, Node__Output as _weft_v1_Node__Output } from '../../weft/v1/Node.ts';
import type { Subscription as _weft_v1_Subscription, Subscription__Output as _weft_v1_Subscription__Output } from '../../weft/v1/Subscription.ts';
import type { ErrorDetail as _weft_v1_ErrorDetail, ErrorDetail__Output as _weft_v1_ErrorDetail__Output } from '../../weft/v1/ErrorDetail.ts';
import type { ProxyStatus as _weft_v1_ProxyStatus, ProxyStatus__Output as _weft_v1_ProxyStatus__Output } from '../../weft/v1/ProxyStatus.ts';
import type { DecisionsAnswer as _weft_v1_DecisionsAnswer, DecisionsAnswer__Output as _weft_v1_DecisionsAnswer__Output } from '../../weft/v1/DecisionsAnswer.ts';

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
  /**
   * How the proxy is, where it has changed; a message of its own, or beside an answer.
   */
  'status'?: (_weft_v1_ProxyStatus | null);
  /**
   * What was asked for with `ask`.
   */
  'answer'?: (_weft_v1_DecisionsAnswer | null);
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
  /**
   * How the proxy is, where it has changed; a message of its own, or beside an answer.
   */
  'status': (_weft_v1_ProxyStatus__Output | null);
  /**
   * What was asked for with `ask`.
   */
  'answer': (_weft_v1_DecisionsAnswer__Output | null);
}

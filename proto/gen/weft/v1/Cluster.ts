// Original file: weft/v1/resources.proto

import type { ClusterKind as _weft_v1_ClusterKind, ClusterKind__Output as _weft_v1_ClusterKind__Output } from '../../weft/v1/ClusterKind.ts';
import type { Balance as _weft_v1_Balance, Balance__Output as _weft_v1_Balance__Output } from '../../weft/v1/Balance.ts';
import type { Protocol as _weft_v1_Protocol, Protocol__Output as _weft_v1_Protocol__Output } from '../../weft/v1/Protocol.ts';
import type { ProxyProtocol as _weft_v1_ProxyProtocol, ProxyProtocol__Output as _weft_v1_ProxyProtocol__Output } from '../../weft/v1/ProxyProtocol.ts';

export interface Cluster {
  'name'?: (string);
  'service'?: (string);
  /**
   * Empty: every version.
   */
  'version'?: (string);
  'kind'?: (_weft_v1_ClusterKind);
  /**
   * Empty where kind is static.
   */
  'identity'?: (string);
  'balance'?: (_weft_v1_Balance);
  'connectTimeoutMs'?: (number);
  'ruleId'?: (string);
  'protocol'?: (_weft_v1_Protocol);
  /**
   * Name of a further port; empty: the main one.
   */
  'port'?: (string);
  'proxyProtocol'?: (_weft_v1_ProxyProtocol);
}

export interface Cluster__Output {
  'name': (string);
  'service': (string);
  /**
   * Empty: every version.
   */
  'version': (string);
  'kind': (_weft_v1_ClusterKind__Output);
  /**
   * Empty where kind is static.
   */
  'identity': (string);
  'balance': (_weft_v1_Balance__Output);
  'connectTimeoutMs': (number);
  'ruleId': (string);
  'protocol': (_weft_v1_Protocol__Output);
  /**
   * Name of a further port; empty: the main one.
   */
  'port': (string);
  'proxyProtocol': (_weft_v1_ProxyProtocol__Output);
}

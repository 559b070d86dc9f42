// Original file: weft/v1/resources.proto

import type { AuthorizationPolicy as _weft_v1_AuthorizationPolicy, AuthorizationPolicy__Output as _weft_v1_AuthorizationPolicy__Output } from '../../weft/v1/AuthorizationPolicy.ts';
import type { Protocol as _weft_v1_Protocol, Protocol__Output as _weft_v1_Protocol__Output } from '../../weft/v1/Protocol.ts';
import type { IdleTimeout as _weft_v1_IdleTimeout, IdleTimeout__Output as _weft_v1_IdleTimeout__Output } from '../../weft/v1/IdleTimeout.ts';
import type { ServicePort as _weft_v1_ServicePort, ServicePort__Output as _weft_v1_ServicePort__Output } from '../../weft/v1/ServicePort.ts';
import type { ProxyProtocol as _weft_v1_ProxyProtocol, ProxyProtocol__Output as _weft_v1_ProxyProtocol__Output } from '../../weft/v1/ProxyProtocol.ts';
import type { HealthCheck as _weft_v1_HealthCheck, HealthCheck__Output as _weft_v1_HealthCheck__Output } from '../../weft/v1/HealthCheck.ts';

export interface InboundListener {
  'service'?: (string);
  'appPort'?: (number);
  'policy'?: (_weft_v1_AuthorizationPolicy | null);
  'timeoutMs'?: (number);
  'protocol'?: (_weft_v1_Protocol);
  /**
   * Absent: the default.
   */
  'idleTimeout'?: (_weft_v1_IdleTimeout | null);
  /**
   * Beside the main one.
   */
  'ports'?: (_weft_v1_ServicePort)[];
  'proxyProtocol'?: (_weft_v1_ProxyProtocol);
  /**
   * Absent: a TCP connection now and then.
   */
  'health'?: (_weft_v1_HealthCheck | null);
}

export interface InboundListener__Output {
  'service': (string);
  'appPort': (number);
  'policy': (_weft_v1_AuthorizationPolicy__Output | null);
  'timeoutMs': (number);
  'protocol': (_weft_v1_Protocol__Output);
  /**
   * Absent: the default.
   */
  'idleTimeout': (_weft_v1_IdleTimeout__Output | null);
  /**
   * Beside the main one.
   */
  'ports': (_weft_v1_ServicePort__Output)[];
  'proxyProtocol': (_weft_v1_ProxyProtocol__Output);
  /**
   * Absent: a TCP connection now and then.
   */
  'health': (_weft_v1_HealthCheck__Output | null);
}

// Original file: weft/v1/resources.proto

import type { EdgeTls as _weft_v1_EdgeTls, EdgeTls__Output as _weft_v1_EdgeTls__Output } from '../../weft/v1/EdgeTls.ts';
import type { TcpRoute as _weft_v1_TcpRoute, TcpRoute__Output as _weft_v1_TcpRoute__Output } from '../../weft/v1/TcpRoute.ts';
import type { Networks as _weft_v1_Networks, Networks__Output as _weft_v1_Networks__Output } from '../../weft/v1/Networks.ts';
import type { ListenerLimits as _weft_v1_ListenerLimits, ListenerLimits__Output as _weft_v1_ListenerLimits__Output } from '../../weft/v1/ListenerLimits.ts';
import type { ForwardedFields as _weft_v1_ForwardedFields, ForwardedFields__Output as _weft_v1_ForwardedFields__Output } from '../../weft/v1/ForwardedFields.ts';

export interface EdgeListener {
  'edge'?: (string);
  'address'?: (string);
  'port'?: (number);
  'hosts'?: (string)[];
  'tls'?: (_weft_v1_EdgeTls);
  'routes'?: (string);
  /**
   * Not empty: connections are not HTTP.
   */
  'tcp'?: (_weft_v1_TcpRoute)[];
  /**
   * Present: connections from these networks begin with a PROXY header.
   */
  'proxyProtocol'?: (_weft_v1_Networks | null);
  /**
   * Absent: the defaults.
   */
  'limits'?: (_weft_v1_ListenerLimits | null);
  /**
   * CIDR blocks.
   */
  'trustedProxies'?: (string)[];
  'forwarded'?: (_weft_v1_ForwardedFields);
}

export interface EdgeListener__Output {
  'edge': (string);
  'address': (string);
  'port': (number);
  'hosts': (string)[];
  'tls': (_weft_v1_EdgeTls__Output);
  'routes': (string);
  /**
   * Not empty: connections are not HTTP.
   */
  'tcp': (_weft_v1_TcpRoute__Output)[];
  /**
   * Present: connections from these networks begin with a PROXY header.
   */
  'proxyProtocol': (_weft_v1_Networks__Output | null);
  /**
   * Absent: the defaults.
   */
  'limits': (_weft_v1_ListenerLimits__Output | null);
  /**
   * CIDR blocks.
   */
  'trustedProxies': (string)[];
  'forwarded': (_weft_v1_ForwardedFields__Output);
}

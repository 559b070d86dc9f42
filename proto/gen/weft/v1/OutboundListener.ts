// Original file: weft/v1/resources.proto

import type { TcpRoute as _weft_v1_TcpRoute, TcpRoute__Output as _weft_v1_TcpRoute__Output } from '../../weft/v1/TcpRoute.ts';

export interface OutboundListener {
  'service'?: (string);
  'port'?: (number);
  'routes'?: (string);
  /**
   * Address behind the service's plain name, in 127.15.0.0/16.
   */
  'loopback'?: (string);
  /**
   * Name of a further port; empty: the main one.
   */
  'portName'?: (string);
  /**
   * Present: connections are not HTTP, and `routes` is empty.
   */
  'tcp'?: (_weft_v1_TcpRoute | null);
}

export interface OutboundListener__Output {
  'service': (string);
  'port': (number);
  'routes': (string);
  /**
   * Address behind the service's plain name, in 127.15.0.0/16.
   */
  'loopback': (string);
  /**
   * Name of a further port; empty: the main one.
   */
  'portName': (string);
  /**
   * Present: connections are not HTTP, and `routes` is empty.
   */
  'tcp': (_weft_v1_TcpRoute__Output | null);
}

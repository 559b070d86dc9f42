// Original file: weft/v1/resources.proto


export interface OutboundListener {
  'service'?: (string);
  'port'?: (number);
  'routes'?: (string);
  /**
   * Address behind the service's plain name, in 127.15.0.0/16.
   */
  'loopback'?: (string);
}

export interface OutboundListener__Output {
  'service': (string);
  'port': (number);
  'routes': (string);
  /**
   * Address behind the service's plain name, in 127.15.0.0/16.
   */
  'loopback': (string);
}

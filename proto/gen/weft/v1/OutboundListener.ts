// Original file: weft/v1/resources.proto


export interface OutboundListener {
  'service'?: (string);
  'port'?: (number);
  'routes'?: (string);
}

export interface OutboundListener__Output {
  'service': (string);
  'port': (number);
  'routes': (string);
}

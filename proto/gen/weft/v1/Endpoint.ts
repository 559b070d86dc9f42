// Original file: weft/v1/resources.proto


export interface Endpoint {
  'id'?: (string);
  'host'?: (string);
  'port'?: (number);
  'weight'?: (number);
}

export interface Endpoint__Output {
  'id': (string);
  'host': (string);
  'port': (number);
  'weight': (number);
}

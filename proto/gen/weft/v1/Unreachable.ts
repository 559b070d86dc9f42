// Original file: weft/v1/discovery.proto


export interface Unreachable {
  'cluster'?: (string);
  /**
   * Id of the endpoint.
   */
  'endpoint'?: (string);
  'reason'?: (string);
}

export interface Unreachable__Output {
  'cluster': (string);
  /**
   * Id of the endpoint.
   */
  'endpoint': (string);
  'reason': (string);
}

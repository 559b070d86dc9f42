// Original file: weft/v1/discovery.proto


export interface Node {
  /**
   * Program version, major.minor.patch.
   */
  'version'?: (string);
  /**
   * The port on which the sidecar's inbound listener accepts; 0 for an edge.
   */
  'inboundPort'?: (number);
  /**
   * Where others should reach it, if policy permits another address than the one that is seen.
   */
  'address'?: (string);
}

export interface Node__Output {
  /**
   * Program version, major.minor.patch.
   */
  'version': (string);
  /**
   * The port on which the sidecar's inbound listener accepts; 0 for an edge.
   */
  'inboundPort': (number);
  /**
   * Where others should reach it, if policy permits another address than the one that is seen.
   */
  'address': (string);
}

// Original file: weft/v1/resources.proto


export interface IdleTimeout {
  /**
   * 0: none.
   */
  'ms'?: (number);
}

export interface IdleTimeout__Output {
  /**
   * 0: none.
   */
  'ms': (number);
}

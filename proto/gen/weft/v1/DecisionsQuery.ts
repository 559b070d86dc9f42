// Original file: weft/v1/discovery.proto


/**
 * Asks for what the proxy has decided of late.
 */
export interface DecisionsQuery {
  /**
   * Comes back in the answer.
   */
  'ask'?: (string);
  /**
   * Of one request; empty: the newest ones.
   */
  'requestId'?: (string);
  /**
   * At most so many; 0: 100.
   */
  'limit'?: (number);
}

/**
 * Asks for what the proxy has decided of late.
 */
export interface DecisionsQuery__Output {
  /**
   * Comes back in the answer.
   */
  'ask': (string);
  /**
   * Of one request; empty: the newest ones.
   */
  'requestId': (string);
  /**
   * At most so many; 0: 100.
   */
  'limit': (number);
}

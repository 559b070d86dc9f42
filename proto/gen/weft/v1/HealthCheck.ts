// Original file: weft/v1/resources.proto


/**
 * How a sidecar asks its app whether it can take calls.
 */
export interface HealthCheck {
  /**
   * It does not; nothing else counts.
   */
  'off'?: (boolean);
  /**
   * Of a GET; empty: a TCP connection is enough.
   */
  'path'?: (string);
  'intervalMs'?: (number);
  'timeoutMs'?: (number);
  /**
   * Answers, and failures, in a row that change its mind.
   */
  'healthy'?: (number);
  'unhealthy'?: (number);
}

/**
 * How a sidecar asks its app whether it can take calls.
 */
export interface HealthCheck__Output {
  /**
   * It does not; nothing else counts.
   */
  'off': (boolean);
  /**
   * Of a GET; empty: a TCP connection is enough.
   */
  'path': (string);
  'intervalMs': (number);
  'timeoutMs': (number);
  /**
   * Answers, and failures, in a row that change its mind.
   */
  'healthy': (number);
  'unhealthy': (number);
}

// Original file: weft/v1/resources.proto

import type { Long } from '@grpc/proto-loader';

export interface ListenerLimits {
  'requestLineBytes'?: (number);
  'headerBytes'?: (number);
  'headerFields'?: (number);
  /**
   * 0: none.
   */
  'bodyBytes'?: (number | string | Long);
  /**
   * 0: none.
   */
  'headerTimeoutMs'?: (number);
}

export interface ListenerLimits__Output {
  'requestLineBytes': (number);
  'headerBytes': (number);
  'headerFields': (number);
  /**
   * 0: none.
   */
  'bodyBytes': (number);
  /**
   * 0: none.
   */
  'headerTimeoutMs': (number);
}

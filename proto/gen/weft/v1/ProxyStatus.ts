// Original file: weft/v1/discovery.proto

import type { ViewOrigin as _weft_v1_ViewOrigin, ViewOrigin__Output as _weft_v1_ViewOrigin__Output } from '../../weft/v1/ViewOrigin.ts';
import type { AppHealth as _weft_v1_AppHealth, AppHealth__Output as _weft_v1_AppHealth__Output } from '../../weft/v1/AppHealth.ts';
import type { Unreachable as _weft_v1_Unreachable, Unreachable__Output as _weft_v1_Unreachable__Output } from '../../weft/v1/Unreachable.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * How a proxy is. Sent after the first view was taken and when something in it has changed, but seldom; a proxy that
 * never sends one (an older one) counts as ready.
 */
export interface ProxyStatus {
  /**
   * Hash of the snapshot that runs; empty: none yet.
   */
  'snapshot'?: (string);
  'viewOrigin'?: (_weft_v1_ViewOrigin);
  /**
   * Since the control plane last stood behind the view, in seconds.
   */
  'viewAgeSeconds'?: (number | string | Long);
  /**
   * Of the SVID in use: hex, lower case.
   */
  'certificateSerial'?: (string);
  /**
   * Seconds since 1970.
   */
  'certificateNotAfter'?: (number | string | Long);
  'appHealth'?: (_weft_v1_AppHealth);
  /**
   * Why the app is down, in words; else empty.
   */
  'appHealthReason'?: (string);
  /**
   * Requests that are being forwarded now, of both directions.
   */
  'inFlight'?: (number);
  /**
   * Over the time since the last status.
   */
  'requestsPerSecond'?: (number | string);
  /**
   * It takes no new calls: callers are to be told, and then the proxy (`drained`).
   */
  'draining'?: (boolean);
  /**
   * The proxy's clock, in milliseconds since 1970.
   */
  'clockMs'?: (number | string | Long);
  /**
   * Addresses of the view on which nothing could listen here.
   */
  'unbound'?: (string)[];
  /**
   * Instances that could not be reached when last tried.
   */
  'unreachable'?: (_weft_v1_Unreachable)[];
  /**
   * Resident memory in bytes.
   */
  'memoryBytes'?: (number | string | Long);
}

/**
 * How a proxy is. Sent after the first view was taken and when something in it has changed, but seldom; a proxy that
 * never sends one (an older one) counts as ready.
 */
export interface ProxyStatus__Output {
  /**
   * Hash of the snapshot that runs; empty: none yet.
   */
  'snapshot': (string);
  'viewOrigin': (_weft_v1_ViewOrigin__Output);
  /**
   * Since the control plane last stood behind the view, in seconds.
   */
  'viewAgeSeconds': (number);
  /**
   * Of the SVID in use: hex, lower case.
   */
  'certificateSerial': (string);
  /**
   * Seconds since 1970.
   */
  'certificateNotAfter': (number);
  'appHealth': (_weft_v1_AppHealth__Output);
  /**
   * Why the app is down, in words; else empty.
   */
  'appHealthReason': (string);
  /**
   * Requests that are being forwarded now, of both directions.
   */
  'inFlight': (number);
  /**
   * Over the time since the last status.
   */
  'requestsPerSecond': (number);
  /**
   * It takes no new calls: callers are to be told, and then the proxy (`drained`).
   */
  'draining': (boolean);
  /**
   * The proxy's clock, in milliseconds since 1970.
   */
  'clockMs': (number);
  /**
   * Addresses of the view on which nothing could listen here.
   */
  'unbound': (string)[];
  /**
   * Instances that could not be reached when last tried.
   */
  'unreachable': (_weft_v1_Unreachable__Output)[];
  /**
   * Resident memory in bytes.
   */
  'memoryBytes': (number);
}

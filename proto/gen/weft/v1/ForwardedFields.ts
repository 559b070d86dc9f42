// Original file: weft/v1/resources.proto

/**
 * Unspecified: X_FORWARDED.
 */
export const ForwardedFields = {
  FORWARDED_FIELDS_UNSPECIFIED: 'FORWARDED_FIELDS_UNSPECIFIED',
  FORWARDED_FIELDS_X_FORWARDED: 'FORWARDED_FIELDS_X_FORWARDED',
  FORWARDED_FIELDS_FORWARDED: 'FORWARDED_FIELDS_FORWARDED',
  FORWARDED_FIELDS_BOTH: 'FORWARDED_FIELDS_BOTH',
} as const;

/**
 * Unspecified: X_FORWARDED.
 */
export type ForwardedFields =
  | 'FORWARDED_FIELDS_UNSPECIFIED'
  | 0
  | 'FORWARDED_FIELDS_X_FORWARDED'
  | 1
  | 'FORWARDED_FIELDS_FORWARDED'
  | 2
  | 'FORWARDED_FIELDS_BOTH'
  | 3

/**
 * Unspecified: X_FORWARDED.
 */
export type ForwardedFields__Output = typeof ForwardedFields[keyof typeof ForwardedFields]

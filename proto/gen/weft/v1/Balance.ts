// Original file: weft/v1/resources.proto

export const Balance = {
  BALANCE_UNSPECIFIED: 'BALANCE_UNSPECIFIED',
  BALANCE_ROUND_ROBIN: 'BALANCE_ROUND_ROBIN',
  BALANCE_LEAST_REQUEST: 'BALANCE_LEAST_REQUEST',
} as const;

export type Balance =
  | 'BALANCE_UNSPECIFIED'
  | 0
  | 'BALANCE_ROUND_ROBIN'
  | 1
  | 'BALANCE_LEAST_REQUEST'
  | 2

export type Balance__Output = typeof Balance[keyof typeof Balance]

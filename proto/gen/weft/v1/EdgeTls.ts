// Original file: weft/v1/resources.proto

export const EdgeTls = {
  EDGE_TLS_UNSPECIFIED: 'EDGE_TLS_UNSPECIFIED',
  EDGE_TLS_NONE: 'EDGE_TLS_NONE',
  EDGE_TLS_INTERNAL: 'EDGE_TLS_INTERNAL',
  EDGE_TLS_PASSTHROUGH: 'EDGE_TLS_PASSTHROUGH',
} as const;

export type EdgeTls =
  | 'EDGE_TLS_UNSPECIFIED'
  | 0
  | 'EDGE_TLS_NONE'
  | 1
  | 'EDGE_TLS_INTERNAL'
  | 2
  | 'EDGE_TLS_PASSTHROUGH'
  | 3

export type EdgeTls__Output = typeof EdgeTls[keyof typeof EdgeTls]

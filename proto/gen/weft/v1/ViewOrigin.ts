// Original file: weft/v1/discovery.proto

export const ViewOrigin = {
  VIEW_ORIGIN_UNSPECIFIED: 'VIEW_ORIGIN_UNSPECIFIED',
  VIEW_ORIGIN_STREAM: 'VIEW_ORIGIN_STREAM',
  VIEW_ORIGIN_DISK: 'VIEW_ORIGIN_DISK',
} as const;

export type ViewOrigin =
  | 'VIEW_ORIGIN_UNSPECIFIED'
  | 0
  | 'VIEW_ORIGIN_STREAM'
  | 1
  | 'VIEW_ORIGIN_DISK'
  | 2

export type ViewOrigin__Output = typeof ViewOrigin[keyof typeof ViewOrigin]

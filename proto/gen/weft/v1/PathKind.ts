// Original file: weft/v1/resources.proto

export const PathKind = {
  PATH_KIND_UNSPECIFIED: 'PATH_KIND_UNSPECIFIED',
  PATH_KIND_EXACT: 'PATH_KIND_EXACT',
  PATH_KIND_TEMPLATE: 'PATH_KIND_TEMPLATE',
  PATH_KIND_PREFIX: 'PATH_KIND_PREFIX',
  PATH_KIND_GLOB: 'PATH_KIND_GLOB',
} as const;

export type PathKind =
  | 'PATH_KIND_UNSPECIFIED'
  | 0
  | 'PATH_KIND_EXACT'
  | 1
  | 'PATH_KIND_TEMPLATE'
  | 2
  | 'PATH_KIND_PREFIX'
  | 3
  | 'PATH_KIND_GLOB'
  | 4

export type PathKind__Output = typeof PathKind[keyof typeof PathKind]

// Original file: weft/v1/resources.proto

export const ClusterKind = {
  CLUSTER_KIND_UNSPECIFIED: 'CLUSTER_KIND_UNSPECIFIED',
  CLUSTER_KIND_MESH: 'CLUSTER_KIND_MESH',
  CLUSTER_KIND_STATIC: 'CLUSTER_KIND_STATIC',
} as const;

export type ClusterKind =
  | 'CLUSTER_KIND_UNSPECIFIED'
  | 0
  | 'CLUSTER_KIND_MESH'
  | 1
  | 'CLUSTER_KIND_STATIC'
  | 2

export type ClusterKind__Output = typeof ClusterKind[keyof typeof ClusterKind]

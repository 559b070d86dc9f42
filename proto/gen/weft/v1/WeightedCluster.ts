// Original file: weft/v1/resources.proto


export interface WeightedCluster {
  'cluster'?: (string);
  'weight'?: (number);
}

export interface WeightedCluster__Output {
  'cluster': (string);
  'weight': (number);
}

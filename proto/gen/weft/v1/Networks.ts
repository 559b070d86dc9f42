// Original file: weft/v1/resources.proto


export interface Networks {
  'cidr'?: (string)[];
}

export interface Networks__Output {
  'cidr': (string)[];
}

// Original file: weft/v1/resources.proto


export interface PrefixRewrite {
  'prefix'?: (string);
  'to'?: (string);
}

export interface PrefixRewrite__Output {
  'prefix': (string);
  'to': (string);
}

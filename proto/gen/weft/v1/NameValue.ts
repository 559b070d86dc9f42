// Original file: weft/v1/resources.proto


export interface NameValue {
  'name'?: (string);
  'value'?: (string);
}

export interface NameValue__Output {
  'name': (string);
  'value': (string);
}

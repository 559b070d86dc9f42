// Original file: weft/v1/resources.proto


export interface Caller {
  'identity'?: (string);
  'ruleId'?: (string);
}

export interface Caller__Output {
  'identity': (string);
  'ruleId': (string);
}

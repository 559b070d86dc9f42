// Original file: weft/v1/discovery.proto


export interface ErrorDetail {
  /**
   * A MeshError code.
   */
  'code'?: (string);
  /**
   * The resource at fault, `type/name`.
   */
  'resource'?: (string);
  /**
   * The rule id at fault, where one is.
   */
  'ruleId'?: (string);
  'message'?: (string);
}

export interface ErrorDetail__Output {
  /**
   * A MeshError code.
   */
  'code': (string);
  /**
   * The resource at fault, `type/name`.
   */
  'resource': (string);
  /**
   * The rule id at fault, where one is.
   */
  'ruleId': (string);
  'message': (string);
}

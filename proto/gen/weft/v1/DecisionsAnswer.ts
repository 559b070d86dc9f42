// Original file: weft/v1/discovery.proto


export interface DecisionsAnswer {
  'ask'?: (string);
  /**
   * Newest first; each a JSON object as the admin socket gives it.
   */
  'decisions'?: (string)[];
}

export interface DecisionsAnswer__Output {
  'ask': (string);
  /**
   * Newest first; each a JSON object as the admin socket gives it.
   */
  'decisions': (string)[];
}

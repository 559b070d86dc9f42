// Original file: weft/v1/identity.proto


export interface Issued {
  /**
   * The leaf and the intermediates up to the root, which is not in it; each DER.
   */
  'chain'?: (Buffer | Uint8Array | string)[];
  /**
   * The roots of the trust domain; each DER.
   */
  'bundle'?: (Buffer | Uint8Array | string)[];
  /**
   * The identity in the leaf; empty in a server certificate.
   */
  'spiffeId'?: (string);
  /**
   * Name of the instance that the token was redeemed for: `orders-7f3a`.
   */
  'instance'?: (string);
}

export interface Issued__Output {
  /**
   * The leaf and the intermediates up to the root, which is not in it; each DER.
   */
  'chain': (Buffer)[];
  /**
   * The roots of the trust domain; each DER.
   */
  'bundle': (Buffer)[];
  /**
   * The identity in the leaf; empty in a server certificate.
   */
  'spiffeId': (string);
  /**
   * Name of the instance that the token was redeemed for: `orders-7f3a`.
   */
  'instance': (string);
}

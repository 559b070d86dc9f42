// Original file: weft/v1/identity.proto


export interface RedeemRequest {
  /**
   * The whole token text; a secret.
   */
  'token'?: (string);
  /**
   * PKCS#10, DER. Its names are ignored: policy says who the caller is.
   */
  'csr'?: (Buffer | Uint8Array | string);
}

export interface RedeemRequest__Output {
  /**
   * The whole token text; a secret.
   */
  'token': (string);
  /**
   * PKCS#10, DER. Its names are ignored: policy says who the caller is.
   */
  'csr': (Buffer);
}

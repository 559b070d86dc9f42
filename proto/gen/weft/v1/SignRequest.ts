// Original file: weft/v1/identity.proto


export interface SignRequest {
  /**
   * PKCS#10, DER.
   */
  'csr'?: (Buffer | Uint8Array | string);
}

export interface SignRequest__Output {
  /**
   * PKCS#10, DER.
   */
  'csr': (Buffer);
}

import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { IdentityClient as _weft_v1_IdentityClient, IdentityDefinition as _weft_v1_IdentityDefinition } from './weft/v1/Identity.ts';
import type { Issued as _weft_v1_Issued, Issued__Output as _weft_v1_Issued__Output } from './weft/v1/Issued.ts';
import type { JoinClient as _weft_v1_JoinClient, JoinDefinition as _weft_v1_JoinDefinition } from './weft/v1/Join.ts';
import type { RedeemRequest as _weft_v1_RedeemRequest, RedeemRequest__Output as _weft_v1_RedeemRequest__Output } from './weft/v1/RedeemRequest.ts';
import type { SignRequest as _weft_v1_SignRequest, SignRequest__Output as _weft_v1_SignRequest__Output } from './weft/v1/SignRequest.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  weft: {
    v1: {
      /**
       * Served on the discovery port over mutual TLS; who asks is the certificate that asks.
       */
      Identity: SubtypeConstructor<typeof grpc.Client, _weft_v1_IdentityClient> & { service: _weft_v1_IdentityDefinition }
      Issued: MessageTypeDefinition<_weft_v1_Issued, _weft_v1_Issued__Output>
      /**
       * Served on the join port over TLS without a client certificate; the caller checks the root by the token.
       */
      Join: SubtypeConstructor<typeof grpc.Client, _weft_v1_JoinClient> & { service: _weft_v1_JoinDefinition }
      RedeemRequest: MessageTypeDefinition<_weft_v1_RedeemRequest, _weft_v1_RedeemRequest__Output>
      SignRequest: MessageTypeDefinition<_weft_v1_SignRequest, _weft_v1_SignRequest__Output>
    }
  }
}


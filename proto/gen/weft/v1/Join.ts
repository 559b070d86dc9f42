// Original file: weft/v1/identity.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Issued as _weft_v1_Issued, Issued__Output as _weft_v1_Issued__Output } from '../../weft/v1/Issued.ts';
import type { RedeemRequest as _weft_v1_RedeemRequest, RedeemRequest__Output as _weft_v1_RedeemRequest__Output } from '../../weft/v1/RedeemRequest.ts';

/**
 * Served on the join port over TLS without a client certificate; the caller checks the root by the token.
 */
export interface JoinClient extends grpc.Client {
  Redeem(argument: _weft_v1_RedeemRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  Redeem(argument: _weft_v1_RedeemRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  Redeem(argument: _weft_v1_RedeemRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  Redeem(argument: _weft_v1_RedeemRequest, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  redeem(argument: _weft_v1_RedeemRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  redeem(argument: _weft_v1_RedeemRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  redeem(argument: _weft_v1_RedeemRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  redeem(argument: _weft_v1_RedeemRequest, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Served on the join port over TLS without a client certificate; the caller checks the root by the token.
 */
export interface JoinHandlers extends grpc.UntypedServiceImplementation {
  Redeem: grpc.handleUnaryCall<_weft_v1_RedeemRequest__Output, _weft_v1_Issued>;
  
}

export interface JoinDefinition extends grpc.ServiceDefinition {
  Redeem: MethodDefinition<_weft_v1_RedeemRequest, _weft_v1_Issued, _weft_v1_RedeemRequest__Output, _weft_v1_Issued__Output>
}

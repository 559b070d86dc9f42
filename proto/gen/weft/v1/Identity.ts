// Original file: weft/v1/identity.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Issued as _weft_v1_Issued, Issued__Output as _weft_v1_Issued__Output } from '../../weft/v1/Issued.ts';
import type { SignRequest as _weft_v1_SignRequest, SignRequest__Output as _weft_v1_SignRequest__Output } from '../../weft/v1/SignRequest.ts';

/**
 * Served on the discovery port over mutual TLS; who asks is the certificate that asks.
 */
export interface IdentityClient extends grpc.Client {
  /**
   * A new SVID for the identity that asks.
   */
  Renew(argument: _weft_v1_SignRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  Renew(argument: _weft_v1_SignRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  Renew(argument: _weft_v1_SignRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  Renew(argument: _weft_v1_SignRequest, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  /**
   * A new SVID for the identity that asks.
   */
  renew(argument: _weft_v1_SignRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  renew(argument: _weft_v1_SignRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  renew(argument: _weft_v1_SignRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  renew(argument: _weft_v1_SignRequest, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  
  /**
   * A server certificate for the hosts of an edge's own listeners. Only edges may ask.
   */
  SignServer(argument: _weft_v1_SignRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  SignServer(argument: _weft_v1_SignRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  SignServer(argument: _weft_v1_SignRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  SignServer(argument: _weft_v1_SignRequest, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  /**
   * A server certificate for the hosts of an edge's own listeners. Only edges may ask.
   */
  signServer(argument: _weft_v1_SignRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  signServer(argument: _weft_v1_SignRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  signServer(argument: _weft_v1_SignRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  signServer(argument: _weft_v1_SignRequest, callback: grpc.requestCallback<_weft_v1_Issued__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Served on the discovery port over mutual TLS; who asks is the certificate that asks.
 */
export interface IdentityHandlers extends grpc.UntypedServiceImplementation {
  /**
   * A new SVID for the identity that asks.
   */
  Renew: grpc.handleUnaryCall<_weft_v1_SignRequest__Output, _weft_v1_Issued>;
  
  /**
   * A server certificate for the hosts of an edge's own listeners. Only edges may ask.
   */
  SignServer: grpc.handleUnaryCall<_weft_v1_SignRequest__Output, _weft_v1_Issued>;
  
}

export interface IdentityDefinition extends grpc.ServiceDefinition {
  Renew: MethodDefinition<_weft_v1_SignRequest, _weft_v1_Issued, _weft_v1_SignRequest__Output, _weft_v1_Issued__Output>
  SignServer: MethodDefinition<_weft_v1_SignRequest, _weft_v1_Issued, _weft_v1_SignRequest__Output, _weft_v1_Issued__Output>
}

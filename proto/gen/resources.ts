import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AllowList as _weft_v1_AllowList, AllowList__Output as _weft_v1_AllowList__Output } from './weft/v1/AllowList.ts';
import type { AllowRule as _weft_v1_AllowRule, AllowRule__Output as _weft_v1_AllowRule__Output } from './weft/v1/AllowRule.ts';
import type { AuthorizationPolicy as _weft_v1_AuthorizationPolicy, AuthorizationPolicy__Output as _weft_v1_AuthorizationPolicy__Output } from './weft/v1/AuthorizationPolicy.ts';
import type { Caller as _weft_v1_Caller, Caller__Output as _weft_v1_Caller__Output } from './weft/v1/Caller.ts';
import type { Cluster as _weft_v1_Cluster, Cluster__Output as _weft_v1_Cluster__Output } from './weft/v1/Cluster.ts';
import type { ClusterEndpoints as _weft_v1_ClusterEndpoints, ClusterEndpoints__Output as _weft_v1_ClusterEndpoints__Output } from './weft/v1/ClusterEndpoints.ts';
import type { EdgeListener as _weft_v1_EdgeListener, EdgeListener__Output as _weft_v1_EdgeListener__Output } from './weft/v1/EdgeListener.ts';
import type { Endpoint as _weft_v1_Endpoint, Endpoint__Output as _weft_v1_Endpoint__Output } from './weft/v1/Endpoint.ts';
import type { HealthCheck as _weft_v1_HealthCheck, HealthCheck__Output as _weft_v1_HealthCheck__Output } from './weft/v1/HealthCheck.ts';
import type { IdleTimeout as _weft_v1_IdleTimeout, IdleTimeout__Output as _weft_v1_IdleTimeout__Output } from './weft/v1/IdleTimeout.ts';
import type { InboundListener as _weft_v1_InboundListener, InboundListener__Output as _weft_v1_InboundListener__Output } from './weft/v1/InboundListener.ts';
import type { Listener as _weft_v1_Listener, Listener__Output as _weft_v1_Listener__Output } from './weft/v1/Listener.ts';
import type { ListenerLimits as _weft_v1_ListenerLimits, ListenerLimits__Output as _weft_v1_ListenerLimits__Output } from './weft/v1/ListenerLimits.ts';
import type { NameValue as _weft_v1_NameValue, NameValue__Output as _weft_v1_NameValue__Output } from './weft/v1/NameValue.ts';
import type { Networks as _weft_v1_Networks, Networks__Output as _weft_v1_Networks__Output } from './weft/v1/Networks.ts';
import type { OutboundListener as _weft_v1_OutboundListener, OutboundListener__Output as _weft_v1_OutboundListener__Output } from './weft/v1/OutboundListener.ts';
import type { PathPattern as _weft_v1_PathPattern, PathPattern__Output as _weft_v1_PathPattern__Output } from './weft/v1/PathPattern.ts';
import type { PrefixRewrite as _weft_v1_PrefixRewrite, PrefixRewrite__Output as _weft_v1_PrefixRewrite__Output } from './weft/v1/PrefixRewrite.ts';
import type { Route as _weft_v1_Route, Route__Output as _weft_v1_Route__Output } from './weft/v1/Route.ts';
import type { RouteMatch as _weft_v1_RouteMatch, RouteMatch__Output as _weft_v1_RouteMatch__Output } from './weft/v1/RouteMatch.ts';
import type { RouteTable as _weft_v1_RouteTable, RouteTable__Output as _weft_v1_RouteTable__Output } from './weft/v1/RouteTable.ts';
import type { ServicePort as _weft_v1_ServicePort, ServicePort__Output as _weft_v1_ServicePort__Output } from './weft/v1/ServicePort.ts';
import type { TcpRoute as _weft_v1_TcpRoute, TcpRoute__Output as _weft_v1_TcpRoute__Output } from './weft/v1/TcpRoute.ts';
import type { WeightedCluster as _weft_v1_WeightedCluster, WeightedCluster__Output as _weft_v1_WeightedCluster__Output } from './weft/v1/WeightedCluster.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  weft: {
    v1: {
      AllowList: MessageTypeDefinition<_weft_v1_AllowList, _weft_v1_AllowList__Output>
      AllowRule: MessageTypeDefinition<_weft_v1_AllowRule, _weft_v1_AllowRule__Output>
      AuthorizationPolicy: MessageTypeDefinition<_weft_v1_AuthorizationPolicy, _weft_v1_AuthorizationPolicy__Output>
      Balance: EnumTypeDefinition
      Caller: MessageTypeDefinition<_weft_v1_Caller, _weft_v1_Caller__Output>
      Cluster: MessageTypeDefinition<_weft_v1_Cluster, _weft_v1_Cluster__Output>
      ClusterEndpoints: MessageTypeDefinition<_weft_v1_ClusterEndpoints, _weft_v1_ClusterEndpoints__Output>
      ClusterKind: EnumTypeDefinition
      EdgeListener: MessageTypeDefinition<_weft_v1_EdgeListener, _weft_v1_EdgeListener__Output>
      EdgeTls: EnumTypeDefinition
      Endpoint: MessageTypeDefinition<_weft_v1_Endpoint, _weft_v1_Endpoint__Output>
      ForwardedFields: EnumTypeDefinition
      HealthCheck: MessageTypeDefinition<_weft_v1_HealthCheck, _weft_v1_HealthCheck__Output>
      IdleTimeout: MessageTypeDefinition<_weft_v1_IdleTimeout, _weft_v1_IdleTimeout__Output>
      InboundListener: MessageTypeDefinition<_weft_v1_InboundListener, _weft_v1_InboundListener__Output>
      Listener: MessageTypeDefinition<_weft_v1_Listener, _weft_v1_Listener__Output>
      ListenerLimits: MessageTypeDefinition<_weft_v1_ListenerLimits, _weft_v1_ListenerLimits__Output>
      NameValue: MessageTypeDefinition<_weft_v1_NameValue, _weft_v1_NameValue__Output>
      Networks: MessageTypeDefinition<_weft_v1_Networks, _weft_v1_Networks__Output>
      OutboundListener: MessageTypeDefinition<_weft_v1_OutboundListener, _weft_v1_OutboundListener__Output>
      PathKind: EnumTypeDefinition
      PathPattern: MessageTypeDefinition<_weft_v1_PathPattern, _weft_v1_PathPattern__Output>
      PrefixRewrite: MessageTypeDefinition<_weft_v1_PrefixRewrite, _weft_v1_PrefixRewrite__Output>
      Protocol: EnumTypeDefinition
      ProxyProtocol: EnumTypeDefinition
      Route: MessageTypeDefinition<_weft_v1_Route, _weft_v1_Route__Output>
      RouteMatch: MessageTypeDefinition<_weft_v1_RouteMatch, _weft_v1_RouteMatch__Output>
      RouteTable: MessageTypeDefinition<_weft_v1_RouteTable, _weft_v1_RouteTable__Output>
      ServicePort: MessageTypeDefinition<_weft_v1_ServicePort, _weft_v1_ServicePort__Output>
      TcpRoute: MessageTypeDefinition<_weft_v1_TcpRoute, _weft_v1_TcpRoute__Output>
      WeightedCluster: MessageTypeDefinition<_weft_v1_WeightedCluster, _weft_v1_WeightedCluster__Output>
    }
  }
}


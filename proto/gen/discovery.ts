import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AllowList as _weft_v1_AllowList, AllowList__Output as _weft_v1_AllowList__Output } from './weft/v1/AllowList.ts';
import type { AllowRule as _weft_v1_AllowRule, AllowRule__Output as _weft_v1_AllowRule__Output } from './weft/v1/AllowRule.ts';
import type { AuthorizationPolicy as _weft_v1_AuthorizationPolicy, AuthorizationPolicy__Output as _weft_v1_AuthorizationPolicy__Output } from './weft/v1/AuthorizationPolicy.ts';
import type { Caller as _weft_v1_Caller, Caller__Output as _weft_v1_Caller__Output } from './weft/v1/Caller.ts';
import type { Cluster as _weft_v1_Cluster, Cluster__Output as _weft_v1_Cluster__Output } from './weft/v1/Cluster.ts';
import type { ClusterEndpoints as _weft_v1_ClusterEndpoints, ClusterEndpoints__Output as _weft_v1_ClusterEndpoints__Output } from './weft/v1/ClusterEndpoints.ts';
import type { DecisionsAnswer as _weft_v1_DecisionsAnswer, DecisionsAnswer__Output as _weft_v1_DecisionsAnswer__Output } from './weft/v1/DecisionsAnswer.ts';
import type { DecisionsQuery as _weft_v1_DecisionsQuery, DecisionsQuery__Output as _weft_v1_DecisionsQuery__Output } from './weft/v1/DecisionsQuery.ts';
import type { DiscoveryClient as _weft_v1_DiscoveryClient, DiscoveryDefinition as _weft_v1_DiscoveryDefinition } from './weft/v1/Discovery.ts';
import type { DiscoveryRequest as _weft_v1_DiscoveryRequest, DiscoveryRequest__Output as _weft_v1_DiscoveryRequest__Output } from './weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse as _weft_v1_DiscoveryResponse, DiscoveryResponse__Output as _weft_v1_DiscoveryResponse__Output } from './weft/v1/DiscoveryResponse.ts';
import type { EdgeListener as _weft_v1_EdgeListener, EdgeListener__Output as _weft_v1_EdgeListener__Output } from './weft/v1/EdgeListener.ts';
import type { Endpoint as _weft_v1_Endpoint, Endpoint__Output as _weft_v1_Endpoint__Output } from './weft/v1/Endpoint.ts';
import type { ErrorDetail as _weft_v1_ErrorDetail, ErrorDetail__Output as _weft_v1_ErrorDetail__Output } from './weft/v1/ErrorDetail.ts';
import type { HealthCheck as _weft_v1_HealthCheck, HealthCheck__Output as _weft_v1_HealthCheck__Output } from './weft/v1/HealthCheck.ts';
import type { IdleTimeout as _weft_v1_IdleTimeout, IdleTimeout__Output as _weft_v1_IdleTimeout__Output } from './weft/v1/IdleTimeout.ts';
import type { InboundListener as _weft_v1_InboundListener, InboundListener__Output as _weft_v1_InboundListener__Output } from './weft/v1/InboundListener.ts';
import type { Listener as _weft_v1_Listener, Listener__Output as _weft_v1_Listener__Output } from './weft/v1/Listener.ts';
import type { ListenerLimits as _weft_v1_ListenerLimits, ListenerLimits__Output as _weft_v1_ListenerLimits__Output } from './weft/v1/ListenerLimits.ts';
import type { NameValue as _weft_v1_NameValue, NameValue__Output as _weft_v1_NameValue__Output } from './weft/v1/NameValue.ts';
import type { Networks as _weft_v1_Networks, Networks__Output as _weft_v1_Networks__Output } from './weft/v1/Networks.ts';
import type { Node as _weft_v1_Node, Node__Output as _weft_v1_Node__Output } from './weft/v1/Node.ts';
import type { OutboundListener as _weft_v1_OutboundListener, OutboundListener__Output as _weft_v1_OutboundListener__Output } from './weft/v1/OutboundListener.ts';
import type { PathPattern as _weft_v1_PathPattern, PathPattern__Output as _weft_v1_PathPattern__Output } from './weft/v1/PathPattern.ts';
import type { PrefixRewrite as _weft_v1_PrefixRewrite, PrefixRewrite__Output as _weft_v1_PrefixRewrite__Output } from './weft/v1/PrefixRewrite.ts';
import type { ProxyStatus as _weft_v1_ProxyStatus, ProxyStatus__Output as _weft_v1_ProxyStatus__Output } from './weft/v1/ProxyStatus.ts';
import type { Resource as _weft_v1_Resource, Resource__Output as _weft_v1_Resource__Output } from './weft/v1/Resource.ts';
import type { ResourceName as _weft_v1_ResourceName, ResourceName__Output as _weft_v1_ResourceName__Output } from './weft/v1/ResourceName.ts';
import type { Route as _weft_v1_Route, Route__Output as _weft_v1_Route__Output } from './weft/v1/Route.ts';
import type { RouteMatch as _weft_v1_RouteMatch, RouteMatch__Output as _weft_v1_RouteMatch__Output } from './weft/v1/RouteMatch.ts';
import type { RouteTable as _weft_v1_RouteTable, RouteTable__Output as _weft_v1_RouteTable__Output } from './weft/v1/RouteTable.ts';
import type { ServicePort as _weft_v1_ServicePort, ServicePort__Output as _weft_v1_ServicePort__Output } from './weft/v1/ServicePort.ts';
import type { Subscription as _weft_v1_Subscription, Subscription__Output as _weft_v1_Subscription__Output } from './weft/v1/Subscription.ts';
import type { TcpRoute as _weft_v1_TcpRoute, TcpRoute__Output as _weft_v1_TcpRoute__Output } from './weft/v1/TcpRoute.ts';
import type { Unreachable as _weft_v1_Unreachable, Unreachable__Output as _weft_v1_Unreachable__Output } from './weft/v1/Unreachable.ts';
import type { WeightedCluster as _weft_v1_WeightedCluster, WeightedCluster__Output as _weft_v1_WeightedCluster__Output } from './weft/v1/WeightedCluster.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  weft: {
    v1: {
      AllowList: MessageTypeDefinition<_weft_v1_AllowList, _weft_v1_AllowList__Output>
      AllowRule: MessageTypeDefinition<_weft_v1_AllowRule, _weft_v1_AllowRule__Output>
      AppHealth: EnumTypeDefinition
      AuthorizationPolicy: MessageTypeDefinition<_weft_v1_AuthorizationPolicy, _weft_v1_AuthorizationPolicy__Output>
      Balance: EnumTypeDefinition
      Caller: MessageTypeDefinition<_weft_v1_Caller, _weft_v1_Caller__Output>
      Cluster: MessageTypeDefinition<_weft_v1_Cluster, _weft_v1_Cluster__Output>
      ClusterEndpoints: MessageTypeDefinition<_weft_v1_ClusterEndpoints, _weft_v1_ClusterEndpoints__Output>
      ClusterKind: EnumTypeDefinition
      DecisionsAnswer: MessageTypeDefinition<_weft_v1_DecisionsAnswer, _weft_v1_DecisionsAnswer__Output>
      DecisionsQuery: MessageTypeDefinition<_weft_v1_DecisionsQuery, _weft_v1_DecisionsQuery__Output>
      /**
       * Served on the discovery port over mutual TLS. The peer's SVID says whose view is streamed.
       */
      Discovery: SubtypeConstructor<typeof grpc.Client, _weft_v1_DiscoveryClient> & { service: _weft_v1_DiscoveryDefinition }
      DiscoveryRequest: MessageTypeDefinition<_weft_v1_DiscoveryRequest, _weft_v1_DiscoveryRequest__Output>
      DiscoveryResponse: MessageTypeDefinition<_weft_v1_DiscoveryResponse, _weft_v1_DiscoveryResponse__Output>
      EdgeListener: MessageTypeDefinition<_weft_v1_EdgeListener, _weft_v1_EdgeListener__Output>
      EdgeTls: EnumTypeDefinition
      Endpoint: MessageTypeDefinition<_weft_v1_Endpoint, _weft_v1_Endpoint__Output>
      ErrorDetail: MessageTypeDefinition<_weft_v1_ErrorDetail, _weft_v1_ErrorDetail__Output>
      ForwardedFields: EnumTypeDefinition
      HealthCheck: MessageTypeDefinition<_weft_v1_HealthCheck, _weft_v1_HealthCheck__Output>
      IdleTimeout: MessageTypeDefinition<_weft_v1_IdleTimeout, _weft_v1_IdleTimeout__Output>
      InboundListener: MessageTypeDefinition<_weft_v1_InboundListener, _weft_v1_InboundListener__Output>
      Listener: MessageTypeDefinition<_weft_v1_Listener, _weft_v1_Listener__Output>
      ListenerLimits: MessageTypeDefinition<_weft_v1_ListenerLimits, _weft_v1_ListenerLimits__Output>
      NameValue: MessageTypeDefinition<_weft_v1_NameValue, _weft_v1_NameValue__Output>
      Networks: MessageTypeDefinition<_weft_v1_Networks, _weft_v1_Networks__Output>
      Node: MessageTypeDefinition<_weft_v1_Node, _weft_v1_Node__Output>
      OutboundListener: MessageTypeDefinition<_weft_v1_OutboundListener, _weft_v1_OutboundListener__Output>
      PathKind: EnumTypeDefinition
      PathPattern: MessageTypeDefinition<_weft_v1_PathPattern, _weft_v1_PathPattern__Output>
      PrefixRewrite: MessageTypeDefinition<_weft_v1_PrefixRewrite, _weft_v1_PrefixRewrite__Output>
      Protocol: EnumTypeDefinition
      ProxyProtocol: EnumTypeDefinition
      ProxyStatus: MessageTypeDefinition<_weft_v1_ProxyStatus, _weft_v1_ProxyStatus__Output>
      Resource: MessageTypeDefinition<_weft_v1_Resource, _weft_v1_Resource__Output>
      ResourceName: MessageTypeDefinition<_weft_v1_ResourceName, _weft_v1_ResourceName__Output>
      ResourceType: EnumTypeDefinition
      Route: MessageTypeDefinition<_weft_v1_Route, _weft_v1_Route__Output>
      RouteMatch: MessageTypeDefinition<_weft_v1_RouteMatch, _weft_v1_RouteMatch__Output>
      RouteTable: MessageTypeDefinition<_weft_v1_RouteTable, _weft_v1_RouteTable__Output>
      ServicePort: MessageTypeDefinition<_weft_v1_ServicePort, _weft_v1_ServicePort__Output>
      Subscription: MessageTypeDefinition<_weft_v1_Subscription, _weft_v1_Subscription__Output>
      TcpRoute: MessageTypeDefinition<_weft_v1_TcpRoute, _weft_v1_TcpRoute__Output>
      Unreachable: MessageTypeDefinition<_weft_v1_Unreachable, _weft_v1_Unreachable__Output>
      ViewOrigin: EnumTypeDefinition
      WeightedCluster: MessageTypeDefinition<_weft_v1_WeightedCluster, _weft_v1_WeightedCluster__Output>
    }
  }
}


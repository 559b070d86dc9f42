// Original file: weft/v1/resources.proto

export const ProxyProtocol = {
  PROXY_PROTOCOL_NONE: 'PROXY_PROTOCOL_NONE',
  PROXY_PROTOCOL_V1: 'PROXY_PROTOCOL_V1',
  PROXY_PROTOCOL_V2: 'PROXY_PROTOCOL_V2',
} as const;

export type ProxyProtocol =
  | 'PROXY_PROTOCOL_NONE'
  | 0
  | 'PROXY_PROTOCOL_V1'
  | 1
  | 'PROXY_PROTOCOL_V2'
  | 2

export type ProxyProtocol__Output = typeof ProxyProtocol[keyof typeof ProxyProtocol]

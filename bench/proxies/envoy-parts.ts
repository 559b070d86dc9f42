// Pieces that every Envoy of the bench shares, so that all of them do by default what Weft does by default: request
// id, trace headers by the OpenTelemetry tracer (nothing sampled, so nothing exported), statistics, no access log.
// Circuit breakers are out of the way, as Envoy's own advice for benchmarks has it.

export type AppProtocol = 'http1' | 'http2';

export interface VirtualHost {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly {
    readonly match: { readonly prefix: string };
    readonly route: { readonly cluster: string };
  }[];
}

/** `edge`: clients are outside, so that their address becomes X-Forwarded-For and theirs is not believed. */
export function connectionManager(hosts: readonly VirtualHost[], edge: boolean): unknown {
  return {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'bench',
    generate_request_id: true,
    ...(edge ? { use_remote_address: true } : {}),
    tracing: {
      random_sampling: { value: 0 },
      provider: {
        name: 'envoy.tracers.opentelemetry',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig',
          service_name: 'bench',
          grpc_service: { envoy_grpc: { cluster_name: 'collector' } },
        },
      },
    },
    route_config: { name: 'bench', virtual_hosts: hosts },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
}

export function listener(name: string, port: number, manager: unknown, transport?: unknown): unknown {
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }];
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [{ filters, ...(transport === undefined ? {} : { transport_socket: transport }) }],
  };
}

/** What an edge routes by: 100 prefixes, `clusterOf` the number. */
export function prefixRoutes(clusterOf: (index: number) => string): readonly VirtualHost[] {
  const routes = Array.from({ length: 100 }, (_, i) => ({
    match: { prefix: `/service-${i}/` },
    route: { cluster: clusterOf(i) },
  }));
  return [{ name: 'bench', domains: ['*'], routes }];
}

/** What a sidecar routes by: each callee by its name. */
export function hostRoutes(services: readonly string[]): readonly VirtualHost[] {
  return services.map((name) => ({
    name,
    domains: [name, `${name}:*`],
    routes: [{ match: { prefix: '/' }, route: { cluster: name } }],
  }));
}

export function cluster(name: string, port: number, protocol: AppProtocol, transport?: unknown): unknown {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  const most = 1_000_000;
  const threshold = { max_connections: most, max_pending_requests: most, max_requests: most };
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    lb_policy: 'LEAST_REQUEST',
    circuit_breakers: { thresholds: [threshold] },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    ...(transport === undefined ? {} : { transport_socket: transport }),
    ...(protocol === 'http1' ? {} : { typed_extension_protocol_options: HTTP2 }),
  };
}

const HTTP2 = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  },
};

/** Where the tracer would export to; nothing is sampled, so nobody is called. */
export function collector(): unknown {
  return cluster('collector', 9, 'http2');
}

export interface TlsFiles {
  readonly chain: string;
  readonly key: string;
}

/** A listener's own certificate, for clients without one. */
export function serverTls(files: TlsFiles): unknown {
  return transportSocket('DownstreamTlsContext', {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' },
    alpn_protocols: ['h2', 'http/1.1'],
    tls_certificates: [certificate(files)],
  });
}

/** One side of a mesh leg: TLS 1.3, HTTP/2, and the one identity that the peer must prove. */
export function mutualTls(
  kind: 'UpstreamTlsContext' | 'DownstreamTlsContext',
  bundle: string,
  own: TlsFiles,
  peer: string,
): unknown {
  return transportSocket(kind, {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
    alpn_protocols: ['h2'],
    tls_certificates: [certificate(own)],
    validation_context: {
      trusted_ca: { filename: bundle },
      match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: peer } }],
    },
  });
}

function certificate(files: TlsFiles): unknown {
  return { certificate_chain: { filename: files.chain }, private_key: { filename: files.key } };
}

function transportSocket(
  kind: 'UpstreamTlsContext' | 'DownstreamTlsContext',
  context: Readonly<Record<string, unknown>>,
): unknown {
  const mutual = kind === 'DownstreamTlsContext' && 'validation_context' in context;
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${kind}`,
      common_tls_context: context,
      ...(mutual ? { require_client_certificate: true } : {}),
    },
  };
}

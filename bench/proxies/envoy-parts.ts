// Pieces that every Envoy of the bench shares, so that all of them do by default what Weft does by default: request
// id, trace headers by the OpenTelemetry tracer (nothing sampled, so nothing exported), statistics, no access log.

export type Routes = readonly {
  readonly match: { readonly prefix: string };
  readonly route: { readonly cluster: string };
}[];

export function connectionManager(routes: Routes): unknown {
  return {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'bench',
    generate_request_id: true,
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
    route_config: { name: 'bench', virtual_hosts: [{ name: 'bench', domains: ['*'], routes }] },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
}

export function listener(port: number, manager: unknown, transport?: unknown): unknown {
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }];
  return {
    name: 'bench',
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [{ filters, ...(transport === undefined ? {} : { transport_socket: transport }) }],
  };
}

export function prefixRoutes(): Routes {
  return Array.from({ length: 100 }, (_, i) => ({
    match: { prefix: `/service-${i}/` },
    route: { cluster: 'upstream' },
  }));
}

export function cluster(port: number): Record<string, unknown> {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  return {
    name: 'upstream',
    type: 'STATIC',
    connect_timeout: '5s',
    lb_policy: 'LEAST_REQUEST',
    load_assignment: {
      cluster_name: 'upstream',
      endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
    },
  };
}

/** Where the tracer would export to; nothing is sampled, so nobody is called. */
export function collector(): unknown {
  return {
    name: 'collector',
    type: 'STATIC',
    connect_timeout: '5s',
    http2_protocol_options: {},
    load_assignment: {
      cluster_name: 'collector',
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: 9 } } } }] },
      ],
    },
  };
}

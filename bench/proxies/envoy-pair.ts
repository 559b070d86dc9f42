// Two Envoys as sidecars of a caller and an app: plaintext HTTP/1.1 → mutual TLS 1.3 with HTTP/2 inside → plaintext
// HTTP/1.1, 100 routes at the caller's, request id, trace headers and statistics on, no access log.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PairFiles, PeerFiles } from './certificates.ts';
import { cluster, collector, connectionManager, listener, prefixRoutes } from './envoy-parts.ts';

export interface PairPorts {
  readonly app: number;
  readonly inbound: number;
  readonly outbound: number;
}

export function writeEnvoyPair(
  folder: string,
  files: PairFiles,
  ports: PairPorts,
): { readonly inbound: string; readonly outbound: string } {
  const outbound = {
    static_resources: {
      listeners: [listener(ports.outbound, connectionManager(prefixRoutes()))],
      clusters: [
        {
          ...cluster(ports.inbound),
          transport_socket: tls('UpstreamTlsContext', files, files.caller, files.upstream.identity),
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
        },
        collector(),
      ],
    },
  };
  const inbound = {
    static_resources: {
      listeners: [
        listener(
          ports.inbound,
          connectionManager([{ match: { prefix: '/' }, route: { cluster: 'upstream' } }]),
          tls('DownstreamTlsContext', files, files.upstream, files.caller.identity),
        ),
      ],
      clusters: [cluster(ports.app), collector()],
    },
  };
  const paths = { inbound: join(folder, 'inbound.json'), outbound: join(folder, 'outbound.json') };
  writeFileSync(paths.inbound, JSON.stringify(inbound, null, 2));
  writeFileSync(paths.outbound, JSON.stringify(outbound, null, 2));
  return paths;
}

function tls(
  kind: 'UpstreamTlsContext' | 'DownstreamTlsContext',
  files: PairFiles,
  own: PeerFiles,
  peer: string,
): unknown {
  const context = {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
    alpn_protocols: ['h2'],
    tls_certificates: [{ certificate_chain: { filename: own.chain }, private_key: { filename: own.key } }],
    validation_context: {
      trusted_ca: { filename: files.bundle },
      match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: peer } }],
    },
  };
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${kind}`,
      common_tls_context: context,
      ...(kind === 'DownstreamTlsContext' ? { require_client_certificate: true } : {}),
    },
  };
}

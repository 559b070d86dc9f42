// What TLS is configured with: this proxy's own SVID for the mesh, and server certificates for the edge.
// Kept as secure contexts, made again when a certificate is renewed; live connections keep theirs.
import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';

/** All PEM. */
export interface KeyMaterial {
  readonly keyPem: string;
  /** Leaf, then intermediates. */
  readonly chainPem: string;
}

export interface MeshMaterial extends KeyMaterial {
  /** Roots of the trust domain. */
  readonly bundlePem: string;
}

/** Mesh legs are Weft at both ends: TLS 1.3 alone, AES-128-GCM first, which costs bulk least (as in Envoy and Go). */
export const MESH_VERSIONS = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
} as const;
/** HTTP/2 between sidecars; HTTP/1.1 for those of an older version, and for upgrades. */
export const MESH_PROTOCOLS: string[] = ['h2', 'http/1.1'];
/** Clients that offer neither get HTTP/1.1 where they offer nothing, and no connection otherwise. */
export const EDGE_PROTOCOLS: string[] = ['h2', 'http/1.1'];
/** Bytes between sidecars, in frames (docs/tcp.md). */
export const BYTES_PROTOCOL = 'weft-tcp';
export const EDGE_VERSIONS = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  // A handshake costs the server more than the client, and HTTP/2 allows no second one (RFC 9113 §9.2.1).
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const;

/** Throws where key and chain do not belong together or cannot be read. */
export function meshContext(material: MeshMaterial): SecureContext {
  return createSecureContext({
    key: material.keyPem,
    cert: material.chainPem,
    ca: material.bundlePem,
    ...MESH_VERSIONS,
  });
}

export function serverContext(material: KeyMaterial): SecureContext {
  return createSecureContext({ key: material.keyPem, cert: material.chainPem, ...EDGE_VERSIONS });
}

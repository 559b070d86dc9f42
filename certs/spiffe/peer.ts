// Who is on the other side of a mutual-TLS connection. TLS has verified the chain against the bundle; here the
// one identity is read out of the leaf's bytes and held against what was expected. Source: SPIFFE X509-SVID §4, §5.
import type { X509Certificate } from 'node:crypto';
import type { SpiffeId } from '../../core/model/brand.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import { readCertificate } from '../x509/certificate.ts';
import { OID } from '../x509/oids.ts';
import { parseSpiffeId } from './spiffe-id.ts';

export interface ExpectedPeer {
  readonly trustDomain: string;
  /** The one identity that is accepted; left out: any of the trust domain. */
  readonly identity?: SpiffeId;
  /** What it must be good for; left out: TLS has looked at that. */
  readonly role?: 'client' | 'server';
}

export interface Peer {
  readonly id: SpiffeId;
  readonly trustDomain: string;
  /** Lower-case hex; names the grant behind the certificate. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** The certificate as Node gives it, or its DER. */
export type PeerCertificateBytes = Pick<X509Certificate, 'raw'> | Uint8Array;

/** Exactly one URI name, a SPIFFE id with a path, in a leaf that signs no certificates. */
export function identityOfCertificate(certificate: PeerCertificateBytes): Result<SpiffeId, string> {
  const peer = peerOf(certificate);
  return peer.ok ? ok(peer.value.id) : peer;
}

/** Call it only with a certificate whose chain TLS has verified: no signature is checked here. */
export function verifyPeer(certificate: PeerCertificateBytes, expected: ExpectedPeer): Result<Peer, string> {
  const peer = peerOf(certificate, expected.role);
  if (!peer.ok) return peer;
  if (peer.value.trustDomain !== expected.trustDomain) return err(`${peer.value.id} is of another trust domain`);
  if (expected.identity !== undefined && peer.value.id !== expected.identity) {
    return err(`it is ${peer.value.id}, not ${expected.identity}`);
  }
  return peer;
}

function peerOf(certificate: PeerCertificateBytes, role?: ExpectedPeer['role']): Result<Peer, string> {
  const fields = readCertificate(certificate instanceof Uint8Array ? certificate : certificate.raw);
  if (!fields.ok) return err(`its certificate cannot be read: ${fields.error}`);
  const { extensions, serial, notAfter } = fields.value;
  if (extensions.isAuthority) return err('its certificate is one of an authority');
  if (extensions.keyUsage?.has('digitalSignature') !== true || extensions.keyUsage.has('keyCertSign')) {
    return err('its certificate is not for signing handshakes alone');
  }
  if (extensions.nameConstraints !== null) return err('its certificate has name constraints, as only authorities may');
  const purpose = role === 'client' ? OID.clientAuth : OID.serverAuth;
  if (role !== undefined && extensions.extendedKeyUsage?.includes(purpose) === false) {
    return err(`its certificate is not for ${role}s`);
  }
  const uris = extensions.names.filter((name) => name.kind === 'uri');
  const [uri] = uris;
  if (uri === undefined || uris.length !== 1)
    return err(`its certificate has ${uris.length} URI names in place of one`);
  const parts = parseSpiffeId(uri.value);
  if (!parts.ok) return err(`its URI name is not a SPIFFE id: ${parts.error}`);
  if (parts.value.segments.length === 0) return err('its SPIFFE id names a trust domain, not a workload');
  return ok({ id: parts.value.id, trustDomain: parts.value.trustDomain, serial, notAfter });
}

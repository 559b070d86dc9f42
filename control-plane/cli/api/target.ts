// Which control plane a command speaks to: the one of this machine on its Unix socket, or one far away over mutual TLS
// with an operator's certificate.
import { join } from 'node:path';
import { MeshError } from '../../../core/kit/error.ts';
import type { HostPort } from '../../../core/model/mesh.ts';
import { certificatesOf } from '../../../certs/x509/pem.ts';
import { readCertificate, type CertificateFields } from '../../../certs/x509/certificate.ts';
import { readPrivateKey, spkiOf } from '../../../certs/x509/key.ts';
import { parseSpiffeId } from '../../../certs/spiffe/spiffe-id.ts';
import { adminSocketPath } from '../../../host/admin.ts';
import { API_SOCKET } from '../../../host/control-plane-settings.ts';
import { readTextBounded } from '../../../host/files.ts';
import { readAddress } from '../../../host/setting-kinds.ts';

/** As the command line and the environment give it. */
export interface ApiFlags {
  /** State folder of the control plane of this machine. */
  readonly dir: string;
  /** `HOST:PORT` of one far away. */
  readonly api?: string;
  /** Files; PEM. */
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

export type ApiTarget =
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'tls';
      readonly address: HostPort;
      /** PEM. */
      readonly cert: string;
      readonly key: string;
      readonly ca: string;
      /** Of the operator's certificate; the control plane must be of the same. */
      readonly trustDomain: string;
    };

const MOST_PEM = 256 * 1024;

/**
 * Throws MeshError `usage` (a flag is missing), `file-unreadable`, or `operator-refused`: the certificate has expired or is
 * none of an operator.
 *
 * @param now milliseconds since 1970
 */
export async function apiTarget(flags: ApiFlags, now: number): Promise<ApiTarget> {
  const { api, cert, key, ca } = flags;
  if (api === undefined) {
    const stray = [cert, key, ca].some((each) => each !== undefined);
    if (stray) throw usage('--cert, --key and --ca go with --api HOST:PORT');
    return { kind: 'socket', path: adminSocketPath(join(flags.dir, API_SOCKET)) };
  }
  const address = readAddress('127.0.0.1')(api);
  if (!address.ok) throw usage(`--api needs ${address.error}, found '${api}'`);
  if (cert === undefined || key === undefined || ca === undefined) {
    throw usage('--api needs --cert, --key and --ca too', 'make them with `weft ca issue --operator NAME`');
  }
  const pem = await Promise.all([cert, key, ca].map((file) => readTextBounded(file, MOST_PEM)));
  const [certPem = '', keyPem = '', caPem = ''] = pem;
  const leaf = leafOf(cert, certPem);
  const trustDomain = trustDomainOf(cert, leaf, now);
  const keys = readPrivateKey(keyPem);
  if (!keys.ok) throw usage(`${key} is not a private key in PEM`);
  if (!spkiOf(keys.value.publicKey).equals(leaf.spki)) throw usage(`${key} is not the key of ${cert}`);
  if (!certificatesOf(caPem).ok) throw usage(`${ca} holds no certificates in PEM`);
  return { kind: 'tls', address: address.value, cert: certPem, key: keyPem, ca: caPem, trustDomain };
}

function leafOf(file: string, pem: string): CertificateFields {
  const list = certificatesOf(pem);
  const leaf = list.ok ? list.value[0] : undefined;
  const fields = leaf === undefined ? null : readCertificate(leaf);
  if (fields === null || !fields.ok) throw usage(`${file} is not a certificate in PEM`);
  return fields.value;
}

function trustDomainOf(file: string, { extensions, notBefore, notAfter }: CertificateFields, now: number): string {
  const name = extensions.names.find(({ kind }) => kind === 'uri');
  const id = name === undefined ? null : parseSpiffeId(name.value);
  if (id === null || !id.ok || id.value.segments[0] !== 'operator') {
    throw refused(`${file} is no certificate of an operator`);
  }
  if (now >= notAfter) throw refused(`${file} expired on ${new Date(notAfter).toISOString()}`);
  if (now < notBefore) {
    throw refused(`${file} is valid from ${new Date(notBefore).toISOString()} on`, 'look at the clock of this machine');
  }
  return id.value.trustDomain;
}

function usage(detail: string, hint = ''): MeshError {
  return new MeshError('usage', { detail, hint });
}

function refused(detail: string, hint = 'make a new one with `weft ca issue --operator NAME`'): MeshError {
  return new MeshError('operator-refused', { detail, hint });
}

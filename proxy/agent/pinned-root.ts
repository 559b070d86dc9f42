// First contact: fetches the chain that the join port shows and takes the root out of it whose SHA-256 the token
// pins. Nothing is believed before that, and nothing secret is sent.
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { MeshError } from '../../core/kit/error.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { formatAddress } from '../../host/setting-kinds.ts';
import { CONTROL_PLANE_ACCOUNT } from '../../certs/policy/names.ts';
import { parseSpiffeId } from '../../certs/spiffe/spiffe-id.ts';
import { certificateFingerprint, readCertificate } from '../../certs/x509/certificate.ts';
import { certificatesPem } from '../../certs/x509/pem.ts';
import { type ControlPlaneTrust } from './control-plane-channel.ts';

const TIMEOUT = 5_000;
const MAX_CHAIN = 8;

/** Throws MeshError `control-plane-unreachable` (worth another try) or `root-mismatch` (not). */
export async function fetchPinnedRoot(
  address: HostPort,
  rootFingerprint: string,
  signal: AbortSignal,
): Promise<ControlPlaneTrust> {
  const chain = await fetchChain(address, signal);
  const root = chain.find((der) => certificateFingerprint(der) === rootFingerprint);
  // A root that was imported names no trust domain. Then it is the one of which the control plane says to be: that it is
  // its control plane, under the pinned root, is verified by the call that follows.
  const trustDomain = root === undefined ? null : (trustDomainIn(root) ?? trustDomainIn(chain[0] ?? root));
  if (root === undefined || trustDomain === null) {
    throw new MeshError('root-mismatch', {
      origin: 'upstream',
      detail: formatAddress(address),
      hint: 'the address is of another mesh, or the authority was made anew: make a new token there',
    });
  }
  return { bundlePem: certificatesPem([root]), trustDomain };
}

function trustDomainIn(der: Uint8Array): string | null {
  const fields = readCertificate(der);
  const name = fields.ok ? fields.value.extensions.names.find(({ kind }) => kind === 'uri') : undefined;
  const id = name === undefined ? null : parseSpiffeId(name.value);
  return id?.ok === true ? id.value.trustDomain : null;
}

function fetchChain(address: HostPort, signal: AbortSignal): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void => {
      socket.destroy();
      signal.removeEventListener('abort', abort);
      reject(
        new MeshError('control-plane-unreachable', {
          origin: 'upstream',
          detail: `${formatAddress(address)}: ${why}`,
          ...(cause === undefined ? {} : { cause }),
        }),
      );
    };
    const abort = (): void => fail('stopped');
    const socket = connect({
      host: address.host,
      port: address.port,
      servername: CONTROL_PLANE_ACCOUNT,
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.3',
      // The chain is only read here; the pinned root decides, and the call that follows verifies against it.
      rejectUnauthorized: false,
    });
    signal.addEventListener('abort', abort, { once: true });
    socket.setTimeout(TIMEOUT, () => fail('no answer'));
    socket.once('error', (error) => fail(error.message, error));
    socket.once('close', () => fail('closed'));
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', abort);
      resolve(derOf(socket.getPeerCertificate(true)));
      socket.destroy();
    });
  });
}

/** The chain as sent; a root is its own issuer, which ends the walk. */
function derOf(leaf: DetailedPeerCertificate): Buffer[] {
  const chain: Buffer[] = [];
  let current: DetailedPeerCertificate | undefined = leaf;
  while (current?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(current.raw);
    current = current.issuerCertificate === current ? undefined : current.issuerCertificate;
  }
  return chain;
}

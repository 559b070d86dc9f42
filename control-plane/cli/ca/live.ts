// The certificates that a live server shows. Nothing is verified and nothing is sent but a TLS handshake: whoever asks
// wants to see what is there, above all when it is wrong.
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { MeshError } from '../../../core/kit/error.ts';
import type { HostPort } from '../../../core/model/mesh.ts';
import { formatAddress } from '../../../host/setting-kinds.ts';

export interface LiveChain {
  /** Leaf first; DER. */
  readonly chain: readonly Buffer[];
  /** `TLSv1.3`. */
  readonly protocol: string;
  readonly cipher: string;
  /** null: none was agreed on. */
  readonly alpn: string | null;
}

const LIMIT = 5_000;
const MOST_CERTIFICATES = 16;

/** Throws MeshError `connect-failed`. `name`: for SNI, where the host is an address or another name is wanted. */
export function fetchLiveChain(address: HostPort, name: string | null, limit = LIMIT): Promise<LiveChain> {
  const servername = name ?? (isIP(address.host) === 0 ? address.host : '');
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host: address.host, port: address.port, servername },
      ALPNProtocols: ['h2', 'http/1.1'],
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
    });
    let settled = false;
    const settle = (why: string | null): void => {
      if (settled) return;
      settled = true;
      clearTimeout(late);
      // Node 24 crashes where the certificate of a socket is asked for that has come to its end.
      const found = { chain: socket.destroyed ? [] : chainOf(socket), ...agreedOn(socket) };
      socket.destroy();
      // Over TLS 1.3 a server has shown its certificate before it says that it wants one of ours.
      if (found.chain.length > 0) resolve(found);
      else reject(failed(address, why ?? 'it showed no certificate'));
    };
    const late = setTimeout(() => settle(`no TLS within ${limit / 1_000} s`), limit);
    socket.once('secureConnect', () => settle(null));
    socket.on('error', (error) => settle(error.message));
    socket.once('close', () => settle('it closed the connection'));
  });
}

function agreedOn(socket: TLSSocket): Omit<LiveChain, 'chain'> {
  const { alpnProtocol } = socket;
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher()?.standardName ?? '',
    alpn: typeof alpnProtocol === 'string' && alpnProtocol !== '' ? alpnProtocol : null,
  };
}

function chainOf(socket: TLSSocket): readonly Buffer[] {
  const chain: Buffer[] = [];
  let current: DetailedPeerCertificate | undefined;
  try {
    current = socket.getPeerCertificate(true);
  } catch {
    return [];
  }
  // A root is its own issuer; without a certificate the object is empty.
  while (current?.raw !== undefined && chain.length < MOST_CERTIFICATES) {
    chain.push(current.raw);
    current = current.issuerCertificate === current ? undefined : current.issuerCertificate;
  }
  return chain;
}

function failed(address: HostPort, why: string): MeshError {
  const said = /wrong version number|packet length too long|record layer/i.test(why)
    ? 'it does not speak TLS there'
    : // What OpenSSL says begins with addresses of memory.
      why.replace(/^.*SSL routines:[^:]*:/, '').replace(/:\.\..*/s, '');
  const hint = /alert/.test(why)
    ? 'it may want a certificate of its clients before it shows its own, as over TLS 1.2'
    : '';
  return new MeshError('connect-failed', { detail: `${formatAddress(address)}: ${said}`, hint });
}

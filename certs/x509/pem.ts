// PEM around DER. Source: RFC 7468.
import { err, ok, type Result } from '../../core/kit/result.ts';

export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'ENCRYPTED PRIVATE KEY' | 'PUBLIC KEY' | 'X509 CRL';

const MAX_PEM_SIZE = 256 * 1024;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----/g;

export function pemOf(label: PemLabel, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Certificates one after the other, leaf first by custom. */
export function certificatesPem(chain: readonly Uint8Array[]): string {
  return chain.map((der) => pemOf('CERTIFICATE', der)).join('');
}

/** Every certificate of a PEM text, as DER and in order; an error where there is none or another block. */
export function certificatesOf(pem: string): Result<readonly Buffer[], string> {
  if (pem.length > MAX_PEM_SIZE) return err(`longer than ${MAX_PEM_SIZE} characters`);
  const chain: Buffer[] = [];
  for (const [, label, body] of pem.matchAll(BLOCK)) {
    if (label !== 'CERTIFICATE' || body === undefined) return err(`a block of ${label} among certificates`);
    chain.push(Buffer.from(body, 'base64'));
  }
  return chain.length === 0 ? err('no certificate in it') : ok(chain);
}

/** The one certificate request of a PEM text, as DER. */
export function requestOf(pem: string): Result<Buffer, string> {
  if (pem.length > MAX_PEM_SIZE) return err(`longer than ${MAX_PEM_SIZE} characters`);
  const [block, ...others] = [...pem.matchAll(BLOCK)];
  // Older programs write NEW before it.
  if (block === undefined || others.length > 0 || !/^(NEW )?CERTIFICATE REQUEST$/.test(block[1] ?? '')) {
    return err('not one certificate request');
  }
  return ok(Buffer.from(block[2] ?? '', 'base64'));
}

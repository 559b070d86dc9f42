// PEM around DER. Source: RFC 7468.
import { err, ok, type Result } from '../../core/kit/result.ts';

export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'ENCRYPTED PRIVATE KEY' | 'PUBLIC KEY' | 'X509 CRL';

const MAX_PEM_SIZE = 256 * 1024;
const MAX_BLOCKS_SIZE = 4 * 1024 * 1024;
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

export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
  /** With its lines of BEGIN and END. */
  readonly text: string;
  /** Encrypted in the way of before PKCS#8: header lines stand before the data. Source: RFC 1421 §4.6. */
  readonly hasHeaders: boolean;
}

/** Every block of any kind, in order; text between them is passed over. */
export function blocksOf(pem: string): Result<readonly PemBlock[], string> {
  if (pem.length > MAX_BLOCKS_SIZE) return err(`longer than ${MAX_BLOCKS_SIZE} characters`);
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([^-]*(?:-(?!----)[^-]*)*)-----END \1-----/g)];
  return ok(
    blocks.map(([text, label = '', body = '']) => {
      const hasHeaders = /^[A-Za-z-]+: /m.test(body);
      const data = hasHeaders ? body.slice(body.search(/\r?\n\r?\n/)) : body;
      return { label, der: Buffer.from(data, 'base64'), text: `${text}\n`, hasHeaders };
    }),
  );
}

// The names of a subjectAltName: URI, DNS, IP and email, written and read as bytes. Node's own `subjectAltName`
// text is not used anywhere: its quoting has been attacked before.
import { isIPv4, isIPv6 } from 'node:net';
import { childrenOf, DerError, expectTag, TAG, type Tlv } from './der-reader.ts';
import { implicit, sequence } from './der-writer.ts';

/** `other` is a kind that Weft never issues; it is kept so that nobody can hide one. */
export type GeneralName =
  | { readonly kind: 'uri'; readonly value: string }
  | { readonly kind: 'dns'; readonly value: string }
  | { readonly kind: 'ip'; readonly value: string }
  | { readonly kind: 'email'; readonly value: string }
  | { readonly kind: 'other'; readonly value: string };

const EMAIL = 1;
const DNS = 2;
const URI = 6;
const IP = 7;

export function encodeGeneralNames(names: readonly GeneralName[]): Buffer {
  return sequence(...names.map(encodeGeneralName));
}

/** Throws DerError; call it inside `decoding`. IP addresses come back in full, lower-case form. */
export function readGeneralNames(value: Tlv): readonly GeneralName[] {
  return childrenOf(expectTag(value, TAG.sequence)).map(readGeneralName);
}

function encodeGeneralName(name: GeneralName): Buffer {
  switch (name.kind) {
    case 'uri':
      return implicit(URI, ascii(name.value));
    case 'dns':
      return implicit(DNS, ascii(name.value));
    case 'ip':
      return implicit(IP, addressBytes(name.value));
    case 'email':
      return implicit(EMAIL, ascii(name.value));
    case 'other':
      throw new TypeError('names of other kinds are read, never written');
  }
}

function readGeneralName(value: Tlv): GeneralName {
  switch (value.tag) {
    case 0x80 | URI:
      return { kind: 'uri', value: readAscii(value.content) };
    case 0x80 | DNS:
      return { kind: 'dns', value: readAscii(value.content) };
    case 0x80 | IP:
      return { kind: 'ip', value: readAddress(value.content) };
    case 0x80 | EMAIL:
      return { kind: 'email', value: readAscii(value.content) };
    default:
      return { kind: 'other', value: `0x${value.tag.toString(16)}` };
  }
}

/** IA5String without control characters and blanks: nothing that could be read as a second name. */
function readAscii(content: Buffer): string {
  for (const byte of content) if (byte <= 0x20 || byte > 0x7e) throw new DerError('a name that is not plain ASCII');
  return content.toString('latin1');
}

function ascii(text: string): Buffer {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new TypeError('a certificate name must be plain ASCII');
  return Buffer.from(text, 'latin1');
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!isIPv6(address) || address.includes('.') || address.includes('%')) {
    throw new TypeError('not an IP address that a certificate can hold');
  }
  const [head = '', tail] = address.split('::');
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeroes = new Array<number>(8 - left.length - right.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...left, ...zeroes, ...right].entries()) bytes.writeUInt16BE(group, index * 2);
  return bytes;
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function readAddress(content: Buffer): string {
  if (content.length === 4) return [...content].join('.');
  if (content.length !== 16) throw new DerError('an IP address of a strange length');
  const parts: string[] = [];
  for (let index = 0; index < 16; index += 2) parts.push(content.readUInt16BE(index).toString(16));
  return parts.join(':');
}

// Writes DER, the little of it that certificates and CSRs need. It stands here in place of node-forge because
// a sidecar makes its own CSR and forge's ASN.1 module alone costs a process 4 MiB (DECISIONS.md).
import { TAG } from './der-reader.ts';

/** Something left out: lets optional parts stand inline. */
type Part = Uint8Array | false;

export function tlv(tag: number, content: Uint8Array): Buffer {
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Uint8Array.of(tag, length), content]);
  const size = length < 0x100 ? 1 : length < 0x1_00_00 ? 2 : 3;
  const header = Buffer.alloc(2 + size);
  header[0] = tag;
  header[1] = 0x80 | size;
  header.writeUIntBE(length, 2, size);
  return Buffer.concat([header, content]);
}

export function sequence(...parts: Part[]): Buffer {
  return tlv(TAG.sequence, join(parts));
}

/** A SET OF in the one order that DER allows. Source: X.690 §11.6. */
export function setOf(...members: Uint8Array[]): Buffer {
  return tlv(TAG.set, Buffer.concat(members.toSorted(Buffer.compare)));
}

/** A SET OF with one member, which is all that names need. */
export function setOfOne(member: Uint8Array): Buffer {
  return tlv(TAG.set, member);
}

/** `[number]` around whole values. */
export function explicit(number: number, ...parts: Part[]): Buffer {
  return tlv(0xa0 | number, join(parts));
}

/** `[number]` in place of a primitive value's own tag. */
export function implicit(number: number, content: Uint8Array): Buffer {
  return tlv(0x80 | number, content);
}

export function oid(dotted: string): Buffer {
  const arcs = dotted.split('.').map(Number);
  const [first = 0, second = 0, ...rest] = arcs;
  return tlv(TAG.oid, Buffer.concat([base128(first * 40 + second), ...rest.map(base128)]));
}

/** A non-negative integer of any length, big-endian. */
export function unsigned(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const minimal = bytes.subarray(start);
  const positive = (minimal[0] ?? 0) > 0x7f ? Buffer.concat([Uint8Array.of(0), minimal]) : minimal;
  return tlv(TAG.integer, positive);
}

export function smallInteger(value: number): Buffer {
  return unsigned(Uint8Array.of((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff));
}

/** DER leaves a value out that equals its default, so only `true` is ever written. Source: X.690 §11.5. */
export function yes(): Buffer {
  return tlv(TAG.boolean, Uint8Array.of(0xff));
}

export function nothing(): Buffer {
  return tlv(TAG.null, Buffer.alloc(0));
}

export function octets(content: Uint8Array): Buffer {
  return tlv(TAG.octetString, content);
}

export function wholeBits(content: Uint8Array): Buffer {
  return tlv(TAG.bitString, Buffer.concat([Uint8Array.of(0), content]));
}

/** Named bits, lowest number first; trailing zeroes are left out. Source: X.690 §11.2.2. */
export function namedBits(numbers: readonly number[]): Buffer {
  const highest = Math.max(...numbers);
  const bytes = Buffer.alloc(Math.floor(highest / 8) + 1);
  for (const number of numbers) {
    const index = Math.floor(number / 8);
    bytes[index] = (bytes[index] ?? 0) | (0x80 >> (number % 8));
  }
  return tlv(TAG.bitString, Buffer.concat([Uint8Array.of(7 - (highest % 8)), bytes]));
}

export function utf8(text: string): Buffer {
  return tlv(TAG.utf8String, Buffer.from(text, 'utf8'));
}

/** UTCTime through 2049, GeneralizedTime from 2050 on; whole seconds. Source: RFC 5280 §4.1.2.5. */
export function time(at: number): Buffer {
  const date = new Date(Math.floor(at / 1000) * 1000);
  const digits = date.toISOString().replaceAll(/[-:T]|\.000/g, '');
  return date.getUTCFullYear() < 2050
    ? tlv(TAG.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : tlv(TAG.generalizedTime, Buffer.from(digits, 'latin1'));
}

function join(parts: readonly Part[]): Buffer {
  return Buffer.concat(parts.filter((part) => part !== false));
}

function base128(arc: number): Buffer {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return Buffer.from(bytes);
}

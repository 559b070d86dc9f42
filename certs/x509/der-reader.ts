// Reads DER without trusting it: definite minimal lengths, one-byte tags, bounded size and nesting. Every
// value keeps its own raw bytes, so that a signature is checked over what was signed and nothing is ever
// encoded anew before it is verified. Used for CSRs from strangers, peer certificates and CRLs.
import { err, ok, type Result } from '../../core/kit/result.ts';

/** Bytes of the largest input that is looked at. */
export const MAX_DER_SIZE = 64 * 1024;
const MAX_DEPTH = 16;
const MAX_CHILDREN = 256;

/** Universal and the few context tags that X.509 needs. Source: X.680 §8.4. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One tag-length-value; `raw` is all of it, `content` the value alone. Both are views of the input. */
export interface Tlv {
  readonly tag: number;
  readonly raw: Buffer;
  readonly content: Buffer;
  readonly depth: number;
}

/** Leaves the reading functions of this folder only through `decoding`, which makes it a value. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** Runs a reading function; what is wrong with the input becomes the error text. */
export function decoding<T>(read: () => T): Result<T, string> {
  try {
    return ok(read());
  } catch (error) {
    if (error instanceof DerError) return err(error.message);
    throw error;
  }
}

/** The one value that `bytes` hold. Throws DerError; call it inside `decoding`. */
export function readDer(bytes: Uint8Array, limit: number = MAX_DER_SIZE): Tlv {
  if (bytes.length > limit) throw new DerError(`longer than ${limit} bytes`);
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = readAt(input, 0, 0);
  if (value.raw.length !== input.length) throw new DerError('bytes after the end');
  return value;
}

/** The values inside a constructed one. */
export function childrenOf(parent: Tlv, most: number = MAX_CHILDREN): readonly Tlv[] {
  if ((parent.tag & 0x20) === 0) throw new DerError('a primitive value where a constructed one belongs');
  return valuesIn(parent.content, parent.depth + 1, most);
}

/** The one DER value inside an OCTET STRING, as in extensions. Source: RFC 5280 §4.1. */
export function insideOctets(parent: Tlv): Tlv {
  expectTag(parent, TAG.octetString);
  const value = readAt(parent.content, 0, parent.depth + 1);
  if (value.raw.length !== parent.content.length) throw new DerError('bytes after the end of an extension');
  return value;
}

export function expectTag(value: Tlv | undefined, tag: number): Tlv {
  if (value === undefined) throw new DerError('a value is missing');
  if (value.tag !== tag) throw new DerError(`tag 0x${value.tag.toString(16)} where 0x${tag.toString(16)} belongs`);
  return value;
}

/** Dotted text of an OBJECT IDENTIFIER. Source: X.690 §8.19. */
export function readOid(value: Tlv | undefined): string {
  const content = expectTag(value, TAG.oid).content;
  if (content.length === 0 || content.length > 64) throw new DerError('an object identifier of a strange length');
  const arcs: number[] = [];
  let arc = 0;
  let fresh = true;
  for (const byte of content) {
    if (fresh && byte === 0x80) throw new DerError('an object identifier that is not minimal');
    if (arc > 0xff_ff_ff) throw new DerError('an object identifier with a huge arc');
    arc = arc * 128 + (byte & 0x7f);
    fresh = (byte & 0x80) === 0;
    if (!fresh) continue;
    if (arcs.length === 0) {
      const first = Math.min(Math.floor(arc / 40), 2);
      arcs.push(first, arc - first * 40);
    } else {
      arcs.push(arc);
    }
    arc = 0;
  }
  if (!fresh) throw new DerError('an object identifier that breaks off');
  return arcs.join('.');
}

/** Bytes of a BIT STRING that fills whole bytes: keys and signatures. */
export function readWholeBits(value: Tlv | undefined): Buffer {
  const content = expectTag(value, TAG.bitString).content;
  if (content[0] !== 0) throw new DerError('a bit string that does not fill its bytes');
  return content.subarray(1);
}

export function readBoolean(value: Tlv | undefined): boolean {
  const content = expectTag(value, TAG.boolean).content;
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new DerError('not a DER boolean');
  return content[0] === 0xff;
}

/** A small INTEGER, 0 to 2^31 - 1: versions and path lengths. */
export function readSmallInteger(value: Tlv | undefined): number {
  const content = expectTag(value, TAG.integer).content;
  if (content.length === 0 || content.length > 4 || (content[0] ?? 0) > 0x7f) throw new DerError('not a small integer');
  return content.readUIntBE(0, content.length);
}

/** A positive INTEGER of up to 20 octets, as lower-case hex without leading zero bytes. Source: RFC 5280 §4.1.2.2. */
export function readSerial(value: Tlv | undefined): string {
  const { content } = expectTag(value, TAG.integer);
  if (content.length === 0 || content.length > 21 || (content[0] ?? 0) > 0x7f) throw new DerError('a strange serial');
  return (content[0] === 0 && content.length > 1 ? content.subarray(1) : content).toString('hex');
}

/** UTCTime or GeneralizedTime as milliseconds since 1970. Source: RFC 5280 §4.1.2.5. */
export function readTime(value: Tlv | undefined): number {
  const text = value?.content.toString('latin1') ?? '';
  const digits = value?.tag === TAG.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const match = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(digits);
  if (match === null || (value?.tag !== TAG.utcTime && value?.tag !== TAG.generalizedTime))
    throw new DerError('not a time');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function valuesIn(bytes: Buffer, depth: number, most: number): Tlv[] {
  const values: Tlv[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (values.length === most) throw new DerError(`more than ${most} values in one`);
    const value = readAt(bytes, offset, depth);
    values.push(value);
    offset += value.raw.length;
  }
  return values;
}

function readAt(bytes: Buffer, offset: number, depth: number): Tlv {
  if (depth > MAX_DEPTH) throw new DerError(`nested deeper than ${MAX_DEPTH}`);
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) throw new DerError('breaks off');
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of more than one byte');
  let length = first;
  let header = 2;
  if (first >= 0x80) {
    const size = first & 0x7f;
    // 0x80 is the indefinite form, which DER forbids (X.690 §10.1); three bytes are enough for 64 KiB.
    if (size === 0 || size > 3) throw new DerError('a length that DER does not allow');
    if (offset + 2 + size > bytes.length) throw new DerError('breaks off');
    length = bytes.readUIntBE(offset + 2, size);
    header += size;
    if (length < 0x80 || length < 256 ** (size - 1)) throw new DerError('a length that is not minimal');
  }
  const start = offset + header;
  const end = start + length;
  if (end > bytes.length) throw new DerError('breaks off');
  return { tag, raw: bytes.subarray(offset, end), content: bytes.subarray(start, end), depth };
}

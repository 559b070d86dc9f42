// IP addresses and CIDR blocks, of both families; an IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 one.

export interface Cidr {
  /** 4 bytes or 16. */
  readonly bytes: readonly number[];
  /** Leading bits that count. */
  readonly bits: number;
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** The 4 or 16 bytes of an address; null where it is none. No zone, no port. */
export function addressBytes(text: string): readonly number[] | null {
  if (!text.includes(':')) return ipv4Bytes(text);
  const bytes = ipv6Bytes(text);
  if (bytes === null) return null;
  return MAPPED.every((byte, index) => bytes[index] === byte) ? bytes.slice(12) : bytes;
}

/** `10.0.0.0/8`, `fd00::/8`, or one address; null where it is none, or has bits behind its mask. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const bytes = addressBytes(address);
  if (bytes === null) return null;
  const most = bytes.length * 8;
  if (slash < 0) return { bytes, bits: most };
  const digits = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(digits)) return null;
  const written = address.includes(':') ? 128 : 32;
  // `::ffff:10.0.0.0/104` counts from the beginning of the IPv6 form.
  const bits = Number(digits) - (written - most);
  if (bits < 0 || bits > most || bytes.some((byte, index) => (byte & ~maskOf(bits, index)) !== 0)) return null;
  return { bytes, bits };
}

/** Whether an address lies in one of the blocks; text that is no address lies in none. */
export function compileCidrs(blocks: readonly Cidr[]): (address: string) => boolean {
  if (blocks.length === 0) return () => false;
  return (address) => {
    const bytes = addressBytes(address);
    return bytes !== null && blocks.some((block) => contains(block, bytes));
  };
}

function contains(block: Cidr, bytes: readonly number[]): boolean {
  if (block.bytes.length !== bytes.length) return false;
  return block.bytes.every((byte, index) => ((byte ^ (bytes[index] as number)) & maskOf(block.bits, index)) === 0);
}

/** The bits of byte `index` that a prefix of so many bits covers. */
function maskOf(bits: number, index: number): number {
  const covered = Math.min(8, Math.max(0, bits - index * 8));
  return (0xff << (8 - covered)) & 0xff;
}

function ipv4Bytes(text: string): number[] | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  // A leading zero is octal for some readers (CVE-2021-29921).
  const bytes = parts.map((part) => (/^(?:0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

/** RFC 4291 §2.2. */
function ipv6Bytes(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = [groupBytes(halves[0] ?? ''), groupBytes(halves[1] ?? '')];
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1) return missing === 0 ? head : null;
  return missing < 2 ? null : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** Of the groups on one side of `::`. */
function groupBytes(text: string): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    const dotted = index === groups.length - 1 && group.includes('.') ? ipv4Bytes(group) : null;
    if (dotted !== null) bytes.push(...dotted);
    else if (/^[0-9a-f]{1,4}$/i.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff);
    else return null;
  }
  return bytes;
}

// What kind of place a host text names, read as generously as any resolver would: a destination that a client could mean
// as this machine is never taken for something else.

/** `name`: no address in any notation. */
export type HostKind = 'loopback' | 'link-local' | 'unspecified' | 'address' | 'name';

/**
 * `host` without port, with or without brackets, in any case, with or without a last dot. IPv4 also in the short, decimal,
 * octal and hexadecimal notations of inet_aton(3); IPv6 also where it carries an IPv4 address (RFC 4291 §2.5.5, RFC 6052 §2.1,
 * RFC 3056 §2). Source of the names: RFC 6761 §6.3.
 */
export function hostKind(host: string): HostKind {
  const text = host.toLowerCase().replace(/\.$/, '');
  if (text === 'localhost' || text.endsWith('.localhost')) return 'loopback';
  if (text.includes(':')) {
    const groups = parseIpv6(text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, ''));
    return groups === null ? 'name' : kindOfIpv6(groups);
  }
  const address = parseLooseIpv4(text);
  return address === null ? 'name' : kindOfIpv4(address);
}

/** 32 bits, or null: not even inet_aton(3) takes it for an address. */
export function parseLooseIpv4(text: string): number | null {
  const parts = text.split('.');
  if (parts.length > 4) return null;
  const numbers = parts.map(readNumber);
  let address = 0;
  for (const [index, number] of numbers.entries()) {
    const last = index === numbers.length - 1;
    // The last part fills all octets that are left.
    const octets = last ? 4 - index : 1;
    if (number === null || number >= 256 ** octets) return null;
    address += number * 256 ** (last ? 0 : 3 - index);
  }
  return address;
}

/** The one notation of dotted decimals without leading zeros. */
export function isPlainIpv4(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text);
}

/** Eight groups, or null. No zone, no brackets. */
export function parseIpv6(text: string): readonly number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = [readGroups(halves[0] ?? ''), readGroups(halves[1] ?? '')];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1) return missing === 0 ? head : null;
  return missing < 1 ? null : [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function readNumber(text: string): number | null {
  if (/^0x[\da-f]{0,8}$/.test(text)) return text === '0x' ? 0 : Number.parseInt(text, 16);
  if (/^0[0-7]{1,11}$/.test(text)) return Number.parseInt(text, 8);
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}

function kindOfIpv4(address: number): HostKind {
  const first = Math.floor(address / 2 ** 24);
  if (first === 127) return 'loopback';
  // All of 0/8 means this host (RFC 1122 §3.2.1.3): Linux connects 0.0.0.0 to loopback.
  if (first === 0) return 'unspecified';
  return Math.floor(address / 2 ** 16) === 0xa9fe ? 'link-local' : 'address';
}

function kindOfIpv6(groups: readonly number[]): HostKind {
  const [g0 = 0, g1 = 0, g2 = 0] = groups;
  const zeros = (from: number, to: number): boolean => groups.slice(from, to).every((group) => group === 0);
  const embedded = (at: number): HostKind => kindOfIpv4((groups[at] ?? 0) * 65_536 + (groups[at + 1] ?? 0));
  if (zeros(0, 7) && groups[7] === 1) return 'loopback';
  if (zeros(0, 8)) return 'unspecified';
  if ((g0 & 0xffc0) === 0xfe80) return 'link-local';
  if (zeros(0, 4) && ((groups[4] === 0 && groups[5] === 0xffff) || (groups[4] === 0xffff && groups[5] === 0)))
    return embedded(6);
  if (zeros(0, 6)) return embedded(6);
  if (g0 === 0x64 && g1 === 0xff9b && (g2 === 1 || zeros(2, 6))) return embedded(6);
  return g0 === 0x2002 ? embedded(1) : 'address';
}

function readGroups(text: string): readonly number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes('.')) {
      const address = isPlainIpv4(part) ? parseLooseIpv4(part) : null;
      if (address === null) return null;
      groups.push(Math.floor(address / 65_536), address % 65_536);
    } else if (/^[\da-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return groups.length > 8 ? null : groups;
}

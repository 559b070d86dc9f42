// The PROXY protocol, versions 1 and 2: what a load balancer says about a connection before its first byte. A pure
// codec: correct for every split of the input, bounded, and it never guesses whether there is a header.
// Source: haproxy.org/download/3.0/doc/proxy-protocol.txt.
import { isIPv4, isIPv6 } from 'node:net';
import { crc32c } from './crc32c.ts';

/** Who connected to whom, before the proxies between. */
export interface ProxiedPair {
  readonly source: PairEnd;
  readonly destination: PairEnd;
}

export interface PairEnd {
  /** IPv4 or IPv6, both of one family. */
  readonly address: string;
  readonly port: number;
}

export type ProxyHeader =
  /** More bytes are needed. */
  | { readonly kind: 'more' }
  /** Not a header; `reason` is for the log. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** `pair` null: a check of the load balancer itself (LOCAL), or a family that has no addresses (UNKNOWN, AF_UNIX). */
  | { readonly kind: 'header'; readonly length: number; readonly pair: ProxiedPair | null };

const MORE: ProxyHeader = { kind: 'more' };
/** Of version 1, CRLF included (§2.1). */
const LONGEST_V1 = 107;
/** Of version 2, of our own making: no known sender comes near it. The format would allow 64 KiB. */
const LONGEST_V2 = 4_096;
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const V2_HEAD = 16;
const V1_START = Buffer.from('PROXY ', 'latin1');
const PP2_TYPE_CRC32C = 0x03;
/** Bytes of addresses by family (§2.2): IPv4, IPv6, Unix. */
const ADDRESS_BYTES: readonly number[] = [0, 12, 36, 216];

/** Reads the header at the beginning of a connection. `bytes`: all of it that has come so far. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (beginsLike(bytes, SIGNATURE)) return bytes.length < V2_HEAD ? MORE : readV2(bytes);
  if (beginsLike(bytes, V1_START)) return bytes.length < V1_START.length ? MORE : readV1(bytes);
  return invalid('the connection does not begin with a PROXY header');
}

/** Whether the shorter of the two is the beginning of the other. */
function beginsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function readV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, LONGEST_V1).indexOf('\r\n', 0, 'latin1');
  if (end === -1) return bytes.length < LONGEST_V1 ? MORE : invalid('its line is longer than 107 bytes');
  const length = end + 2;
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = '', ...rest] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  // Whatever follows UNKNOWN is to be ignored.
  if (family === 'UNKNOWN') return { kind: 'header', length, pair: null };
  if (family !== 'TCP4' && family !== 'TCP6') return invalid('it names another family than TCP4, TCP6 or UNKNOWN');
  const isAddress = family === 'TCP4' ? isIPv4 : isPlainIPv6;
  const ends = [endOf(source, sourcePort, isAddress), endOf(destination, destinationPort, isAddress)];
  const [from, to] = ends;
  if (rest.length > 0 || !from || !to) return invalid('its addresses or ports are not valid');
  return { kind: 'header', length, pair: { source: from, destination: to } };
}

function endOf(address: string, port: string, isAddress: (text: string) => boolean): PairEnd | null {
  if (!isAddress(address) || !/^(?:0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) return null;
  return { address, port: Number(port) };
}

/** Node takes a zone too: `fe80::1%eth0`. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function readV2(bytes: Buffer): ProxyHeader {
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const payload = bytes.readUInt16BE(14);
  const length = V2_HEAD + payload;
  if (command !== 0x20 && command !== 0x21) return invalid('its version or command is not known');
  if (length > LONGEST_V2) return invalid(`it is longer than ${LONGEST_V2} bytes`);
  if (bytes.length < length) return MORE;
  // LOCAL: the addresses, if any, are not those of a client.
  const isLocal = command === 0x20;
  const needed = ADDRESS_BYTES[family >> 4];
  const transport = family & 0x0f;
  if (needed === undefined || transport > 2) return invalid('its address family or transport is not known');
  const unspecified = family >> 4 === 0 || transport === 0;
  if (!isLocal && !unspecified && payload < needed) return invalid('it is too short for its addresses');
  const tlvs = isLocal || unspecified ? null : V2_HEAD + needed;
  const wrong = tlvs === null ? null : tlvFault(bytes.subarray(0, length), tlvs);
  if (wrong !== null) return invalid(wrong);
  if (tlvs === null || family >> 4 === 3) return { kind: 'header', length, pair: null };
  // A UDP client cannot have connected here.
  if (transport !== 1) return invalid('it is not about a TCP connection');
  return { kind: 'header', length, pair: family >> 4 === 1 ? pairV4(bytes) : pairV6(bytes) };
}

/** What is wrong with the fields behind the addresses; their values are skipped but for a checksum. */
function tlvFault(header: Buffer, start: number): string | null {
  let at = start;
  while (at < header.length) {
    if (header.length - at < 3) return 'its last field is cut off';
    const type = header.readUInt8(at);
    const end = at + 3 + header.readUInt16BE(at + 1);
    if (end > header.length) return 'a field is longer than the header';
    if (type === PP2_TYPE_CRC32C && !checksumFits(header, at + 3, end)) return 'its checksum is wrong';
    at = end;
  }
  return null;
}

function checksumFits(header: Buffer, start: number, end: number): boolean {
  if (end - start !== 4) return false;
  // It was made with zeros in its own place.
  const copy = Buffer.from(header);
  copy.fill(0, start, end);
  return crc32c(copy) === header.readUInt32BE(start);
}

function pairV4(bytes: Buffer): ProxiedPair {
  return {
    source: { address: ipv4At(bytes, 16), port: bytes.readUInt16BE(24) },
    destination: { address: ipv4At(bytes, 20), port: bytes.readUInt16BE(26) },
  };
}

function pairV6(bytes: Buffer): ProxiedPair {
  return {
    source: { address: ipv6At(bytes, 16), port: bytes.readUInt16BE(48) },
    destination: { address: ipv6At(bytes, 32), port: bytes.readUInt16BE(50) },
  };
}

function ipv4At(bytes: Buffer, at: number): string {
  return bytes.subarray(at, at + 4).join('.');
}

function ipv6At(bytes: Buffer, at: number): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes.readUInt16BE(at + i).toString(16));
  return shortened(groups);
}

/** Source: RFC 5952 §4: the longest run of two or more zero groups, the first of equals, becomes `::`. */
function shortened(groups: readonly string[]): string {
  let [start, length] = [0, 1];
  for (let at = 0; at < groups.length; at++) {
    let run = 0;
    while (groups[at + run] === '0') run++;
    if (run > length) [start, length] = [at, run];
    at += run;
  }
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** A header for a connection to an upstream. `pair` null: nothing is known about a client (UNKNOWN, LOCAL). */
export function writeProxyHeader(version: 'v1' | 'v2', pair: ProxiedPair | null): Buffer {
  const known = pair === null ? null : sameFamily(pair);
  return version === 'v1' ? writeV1(known) : writeV2(known);
}

function writeV1(pair: FamilyPair | null): Buffer {
  if (pair === null) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
  const { family, source, destination } = pair;
  const ports = `${source.port} ${destination.port}`;
  return Buffer.from(`PROXY TCP${family} ${source.address} ${destination.address} ${ports}\r\n`, 'latin1');
}

function writeV2(pair: FamilyPair | null): Buffer {
  const size = pair === null ? 0 : (ADDRESS_BYTES[pair.family === 4 ? 1 : 2] as number);
  const header = Buffer.alloc(V2_HEAD + size);
  SIGNATURE.copy(header);
  header.writeUInt8(pair === null ? 0x20 : 0x21, 12);
  header.writeUInt8(pair === null ? 0 : pair.family === 4 ? 0x11 : 0x21, 13);
  header.writeUInt16BE(size, 14);
  if (pair === null) return header;
  const { source, destination } = pair;
  const width = pair.family === 4 ? 4 : 16;
  header.set(addressBytes(source.address), V2_HEAD);
  header.set(addressBytes(destination.address), V2_HEAD + width);
  header.writeUInt16BE(source.port, V2_HEAD + 2 * width);
  header.writeUInt16BE(destination.port, V2_HEAD + 2 * width + 2);
  return header;
}

type FamilyPair = ProxiedPair & { readonly family: 4 | 6 };

/** A header has one family: where only one end is IPv6 the other is written as IPv4-mapped. null: no addresses. */
function sameFamily({ source, destination }: ProxiedPair): FamilyPair | null {
  const ends = [source, destination];
  if (ends.every(({ address }) => isIPv4(address))) return { family: 4, source, destination };
  if (!ends.every(({ address }) => isIPv4(address) || isPlainIPv6(address))) return null;
  const mapped = ({ address, port }: PairEnd): PairEnd => ({
    address: isIPv4(address) ? `::ffff:${address}` : address,
    port,
  });
  return { family: 6, source: mapped(source), destination: mapped(destination) };
}

/** Of an address that is one. */
function addressBytes(address: string): number[] {
  if (isIPv4(address)) return address.split('.').map(Number);
  const [head = '', tail] = address.split('::');
  const front = groupBytes(head);
  const back = tail === undefined ? [] : groupBytes(tail);
  return [...front, ...new Array<number>(16 - front.length - back.length).fill(0), ...back];
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function invalid(reason: string): ProxyHeader {
  return { kind: 'invalid', reason };
}

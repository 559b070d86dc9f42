// `limits` and `trustedProxies` of an edge listener.
import { parseCidr } from '../kit/cidr.ts';
import { DEFAULT_LIMITS, LIMIT_BOUNDS, type ListenerLimits } from '../model/listener.ts';
import { isIpAddress } from './address.ts';
import { parseDuration } from './duration.ts';
import { quote, type Path } from './problem.ts';
import type { Reader } from './reader.ts';
import type { ListenerFile } from './schema.ts';

const UNITS: Readonly<Record<string, number>> = { KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 };
const SIZE = /^(\d{1,9})(KiB|MiB|GiB)$/;

type LimitsFile = NonNullable<ListenerFile['limits']>;
type SizeKey = 'requestLine' | 'headerSize' | 'bodySize';

export function readLimits(reader: Reader, path: Path, file: LimitsFile | undefined): ListenerLimits {
  if (file === undefined) return DEFAULT_LIMITS;
  const size = (key: SizeKey): number => readSize(reader, [...path, key], file[key], key);
  return {
    requestLine: size('requestLine'),
    headerSize: size('headerSize'),
    headerCount: file.headerCount ?? DEFAULT_LIMITS.headerCount,
    bodySize: size('bodySize'),
    headerTimeout: readTimeout(reader, [...path, 'headerTimeout'], file.headerTimeout),
  };
}

function readSize(reader: Reader, path: Path, value: string | number | undefined, key: SizeKey): number {
  if (value === undefined) return DEFAULT_LIMITS[key];
  const match = SIZE.exec(String(value));
  const bytes = match === null ? Number(value) : Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN);
  const { least, most } = LIMIT_BOUNDS[key];
  if (bytes >= least && bytes <= most) return bytes;
  const expected = `${sizeText(least)} to ${sizeText(most)}`;
  reader.error(path, `found ${quote(value)}, expected ${expected}`, key === 'bodySize' ? 'write 0 for none' : '');
  return DEFAULT_LIMITS[key];
}

function sizeText(bytes: number): string {
  const unit = Object.keys(UNITS).findLast((name) => bytes >= (UNITS[name] ?? 0) && bytes % (UNITS[name] ?? 1) === 0);
  return unit === undefined ? String(bytes) : `${bytes / (UNITS[unit] ?? 1)}${unit}`;
}

function readTimeout(reader: Reader, path: Path, text: string | 0 | undefined): ListenerLimits['headerTimeout'] {
  if (text === undefined) return DEFAULT_LIMITS.headerTimeout;
  const value = parseDuration(text);
  if (value === null) reader.error(path, `found ${quote(text)}, expected whole milliseconds and at most 24h`, '');
  return value ?? DEFAULT_LIMITS.headerTimeout;
}

export function readTrustedProxies(reader: Reader, path: Path, texts: readonly string[]): readonly string[] {
  const blocks: string[] = [];
  texts.forEach((text: string | undefined, index) => {
    if (text === undefined) return;
    if (parseCidr(text) === null) {
      reader.error([...path, index], `found ${quote(text)}, expected an IP address or a CIDR block`, () =>
        hintFor(text),
      );
    }
    blocks.push(text);
  });
  return blocks;
}

function hintFor(text: string): string {
  const [address = '', bits] = text.split('/');
  if (bits !== undefined && isIpAddress(address)) {
    const most = address.includes(':') ? 128 : 32;
    if (!(Number(bits) <= most)) return `the number behind the slash is at most ${most}`;
    return 'the bits behind the mask must be 0, as in 10.0.0.0/8';
  }
  return 'for example 10.0.0.0/8, 192.0.2.7 or fd00::/8';
}

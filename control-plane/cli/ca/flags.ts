// What the commands of `weft ca` and `weft token` take in common.
import { randomBytes } from 'node:crypto';
import { MeshError } from '../../../core/kit/error.ts';
import { Secret } from '../../../certs/token/secret.ts';
import { readTextBounded } from '../../../host/files.ts';

/** The time and randomness of this machine. */
export const ambient = { clock: Date.now, random: (size: number): Uint8Array => randomBytes(size) };

const HOUR = 3_600_000;
const MAX_PASSPHRASE = 1_024;

/** Milliseconds from `72h` or `30d`. Throws MeshError `usage`. */
export function lifeOf(flag: string, text: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([hd])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * (unit === 'h' ? HOUR : 24 * HOUR);
  throw new MeshError('usage', { detail: `${flag} needs hours or days, found '${text}'`, hint: 'as in 72h or 30d' });
}

/** The one line of a file; null where none is named. Throws MeshError `usage` or `file-unreadable`. */
export async function secretOf(flag: string, file: string | undefined): Promise<Secret | null> {
  if (file === undefined) return null;
  // As settings are read from files: blanks around it do not count.
  const text = (await readTextBounded(file, MAX_PASSPHRASE)).trim();
  if (/^.+$/.test(text)) return new Secret(text);
  throw new MeshError('usage', {
    detail: `${flag}: ${file} does not hold one line`,
    hint: 'the passphrase and nothing else',
  });
}

/** `2026-11-22 12:00:00Z`. */
export function moment(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** `2 days 3 hours`, `9 years 11 days`; two units at most, a year of 365 days. */
export function span(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  const parts = [
    [Math.floor(minutes / 525_600), 'year'],
    [Math.floor(minutes / 1_440) % 365, 'day'],
    [Math.floor(minutes / 60) % 24, 'hour'],
    [minutes % 60, 'minute'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return 'less than a minute';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
    .join(' ');
}

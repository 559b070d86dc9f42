// Durations as written in config: `2s`, `500ms`, `1.5m`, `1h`, `0`.
import { milliseconds, type Milliseconds } from '../model/brand.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const FORM = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/;
/** The longest time that is meant seriously, and far below what a 32-bit timer holds. */
export const MAX_DURATION = 24 * 3_600_000;

/** null: not a duration, not a whole number of milliseconds, or longer than a day. */
export function parseDuration(text: string | 0): Milliseconds | null {
  if (text === 0 || text === '0') return milliseconds(0);
  const match = FORM.exec(text);
  if (match === null) return null;
  // Rounded because 1.1 * 1000 is not whole in binary; three decimals of a second are.
  const exact = Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN);
  const value = Math.round(exact);
  if (Math.abs(exact - value) > 1e-6 || value > MAX_DURATION) return null;
  return milliseconds(value);
}

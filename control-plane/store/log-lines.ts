// A log as lines of JSON, each with a number and a checksum over itself and the line before: a torn end, a line that
// was changed and one that was taken out are all noticed.
import { sha256Hex } from '../../host/hash.ts';

/** Where a log stands: what the next line continues. */
export interface LogEnd {
  /** Of the last line; 0: there is none. */
  readonly number: number;
  readonly sum: string;
}

export interface LogLine extends LogEnd {
  readonly entry: unknown;
}

export const EMPTY_LOG: LogEnd = { number: 0, sum: '' };

/** Hex digits: what is noticed here is an accident; who can write the file can write a sum too. */
const SUM_DIGITS = 16;

/** The line without its end, and where the log stands after it. */
export function nextLine(before: LogEnd, entry: object): { readonly line: string; readonly end: LogEnd } {
  const number = before.number + 1;
  const body = JSON.stringify(entry);
  const sum = sumOf(before.sum, number, body);
  return { line: `{"number":${number},"sum":"${sum}","entry":${body}}`, end: { number, sum } };
}

/** null: no line of a log. Whether it follows the one before it is `follows`. */
export function readLine(line: string): LogLine | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return null;
    if (!('number' in value) || !('sum' in value) || !('entry' in value)) return null;
    const { number, sum, entry } = value;
    return typeof number === 'number' && typeof sum === 'string' ? { number, sum, entry } : null;
  } catch {
    return null;
  }
}

export function follows(before: LogEnd, line: LogLine): boolean {
  // An entry is written by JSON.stringify, which says the same of what it read.
  return line.sum === sumOf(before.sum, line.number, JSON.stringify(line.entry)) && line.number === before.number + 1;
}

function sumOf(before: string, number: number, body: string): string {
  return sha256Hex(`${before}\n${number}\n${body}`).slice(0, SUM_DIGITS);
}

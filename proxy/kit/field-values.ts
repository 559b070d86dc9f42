// The two value grammars that framing depends on: a decimal number and a comma-separated list.
import { HTAB, SP } from './characters.ts';

/** 1*DIGIT up to 2^53 - 1, else -1. No sign, no space, no list (RFC 9110 §8.6). */
export function decimal(text: string): number {
  if (text.length === 0 || text.length > 16) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : -1;
}

/**
 * Calls `visit` with every element that is not empty (RFC 9110 §5.6.1); stops and returns true when
 * `visit` returns true.
 */
export function forEachElement(list: string, visit: (element: string) => boolean | void): boolean {
  for (let start = 0; start <= list.length; ) {
    const comma = list.indexOf(',', start);
    const stop = comma < 0 ? list.length : comma;
    let from = start;
    let to = stop;
    while (from < to && isSpace(list.charCodeAt(from))) from++;
    while (to > from && isSpace(list.charCodeAt(to - 1))) to--;
    if (to > from && visit(list.slice(from, to)) === true) return true;
    start = stop + 1;
  }
  return false;
}

function isSpace(c: number): boolean {
  return c === SP || c === HTAB;
}

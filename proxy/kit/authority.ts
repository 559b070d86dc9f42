// What a Host field or the authority of absolute-form may look like (RFC 9110 §7.2, RFC 3986 §3.2).
import { isIPv6 } from 'node:net';
import { COLON, REG_NAME } from './characters.ts';

const BRACKET = 91;

/**
 * `host` or `host:port`. Stricter than RFC 3986 where readers are known to disagree: no userinfo, no
 * percent-encoding, no sub-delims (a comma joins two Hosts), no empty host, no empty port, no zone id.
 */
export function isAuthority(text: string): boolean {
  if (text.length === 0 || text.length > 262) return false;
  let end = 0;
  if (text.charCodeAt(0) === BRACKET) {
    const close = text.indexOf(']');
    if (close < 0 || text.includes('%') || !isIPv6(text.slice(1, close))) return false;
    end = close + 1;
  } else {
    while (end < text.length && REG_NAME[text.charCodeAt(end)] === 1) end++;
    if (end === 0) return false;
  }
  return end === text.length || (text.charCodeAt(end) === COLON && isPort(text, end + 1));
}

function isPort(text: string, start: number): boolean {
  const length = text.length - start;
  if (length < 1 || length > 5) return false;
  let port = 0;
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 65_535;
}

// What a field is to the codec, found once per name: most are simply passed on.
import { TOKEN } from '../kit/characters.ts';

export const PLAIN = 0;
export const PSEUDO = 1;
export const CONTENT_LENGTH = 2;
export const TE = 3;
export const HOST = 4;
export const EXPECT = 5;
export const COOKIE = 6;
/** Concerns one HTTP/1.1 connection: must not be there (RFC 9113 §8.2.2). */
export const PER_HOP = 7;
/** Must not be there either: name or value is none (RFC 9113 §8.2.1). */
export const MALFORMED = 8;

/** `name` as it came. */
export function kindOfName(name: string): number {
  if (name.charCodeAt(0) === 58) return PSEUDO;
  if (!isLowerToken(name)) return MALFORMED;
  switch (name) {
    case 'te':
      return TE;
    case 'host':
      return HOST;
    case 'expect':
      return EXPECT;
    case 'cookie':
      return COOKIE;
    case 'content-length':
      return CONTENT_LENGTH;
    case 'connection':
    case 'upgrade':
    case 'keep-alive':
    case 'proxy-connection':
    case 'http2-settings':
    case 'transfer-encoding':
      return PER_HOP;
    default:
      return PLAIN;
  }
}

const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** No control characters, and no space around it. */
export function isFieldValue(value: string): boolean {
  if (value === '') return true;
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  if (first === 32 || first === 9 || last === 32 || last === 9) return false;
  return !NOT_IN_VALUE.test(value);
}

function isLowerToken(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (TOKEN[c] !== 1 || (c >= 65 && c <= 90)) return false;
  }
  return name !== '';
}

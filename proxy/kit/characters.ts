// Character classes of RFC 9110 §5.5, §5.6.2 and RFC 3986, as tables over latin1 code units.

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;

/** tchar (RFC 9110 §5.6.2). */
export const TOKEN = table("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/** What a field value may hold: visible ASCII, space, tab, obs-text (RFC 9110 §5.5). */
export const FIELD_VALUE = range(SP, 255);
FIELD_VALUE[HTAB] = 1;
FIELD_VALUE[127] = 0;

/** Visible ASCII without `#`, which opens a fragment and is never sent (RFC 9112 §3.2). */
export const TARGET = range(33, 126);
TARGET[35] = 0;

/** unreserved and what DNS names in use hold besides; no percent-encoding, no sub-delims (RFC 3986 §3.2.2). */
export const REG_NAME = table('-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');

export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (TOKEN[text.charCodeAt(i)] !== 1) return false;
  }
  return text.length > 0;
}

function table(characters: string): Uint8Array {
  const bits = new Uint8Array(256);
  for (let i = 0; i < characters.length; i++) bits[characters.charCodeAt(i)] = 1;
  return bits;
}

function range(first: number, last: number): Uint8Array {
  return new Uint8Array(256).fill(1, first, last + 1);
}

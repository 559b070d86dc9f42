// The one form of a path that is matched, authorized and forwarded. Whoever reads it after us (an app, its router)
// must not come to another resource than the one that policy decided about.

const SLASH = 0x2f;
const PERCENT = 0x25;
const DOT = 0x2e;

/**
 * The path (no query) in normal form, or null where it must be refused with 400. The result is what goes to the
 * app: matching one form and forwarding another is how path rules are bypassed.
 *
 * - percent-encoded unreserved characters are decoded, other escapes get upper-case digits (RFC 3986 §6.2.2.1, §6.2.2.2)
 * - dot segments are removed (RFC 3986 §5.2.4), also where the dots came encoded; nothing climbs above `/`
 * - doubled slashes stay: an empty segment is a segment
 * - refused: an escape that is cut short or not hexadecimal; an encoded slash, backslash or NUL; a raw backslash,
 *   space or control character, `?` or `#`; a dot segment with parameters (`/..;x/`), which servers that drop
 *   parameters take for a dot segment; a path that does not begin with `/`. `*` (of OPTIONS) is returned as it is.
 *
 * Decoding happens once: `%252e` stays as it is. A path in normal form is returned as the same string.
 */
export function normalizePath(path: string): string | null {
  if (path.charCodeAt(0) !== SLASH) return path === '*' ? path : null;
  let escaped = false;
  let dotted = false;
  let before = 0;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === PERCENT) escaped = true;
    else if (code === DOT && before === SLASH) dotted = true;
    else if (code <= 0x20 || code === 0x7f || code === 0x5c || code === 0x3f || code === 0x23) return null;
    before = code;
  }
  if (!escaped) return dotted ? removeDotSegments(path) : path;
  const decoded = decodeUnreserved(path);
  return decoded === null ? null : removeDotSegments(decoded);
}

function decodeUnreserved(path: string): string | null {
  let out = '';
  let copied = 0;
  for (let i = path.indexOf('%'); i !== -1; i = path.indexOf('%', i + 3)) {
    const high = hexDigit(path.charCodeAt(i + 1));
    const low = hexDigit(path.charCodeAt(i + 2));
    if (high === -1 || low === -1) return null;
    const code = high * 16 + low;
    if (code === 0 || code === SLASH || code === 0x5c) return null;
    out += path.slice(copied, i);
    out += isUnreserved(code) ? String.fromCharCode(code) : path.slice(i, i + 3).toUpperCase();
    copied = i + 3;
  }
  return out + path.slice(copied);
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Source: RFC 3986 §2.3. */
function isUnreserved(code: number): boolean {
  const lower = code | 0x20;
  if (lower >= 0x61 && lower <= 0x7a) return true;
  if (code >= 0x30 && code <= 0x39) return true;
  return code === 0x2d || code === DOT || code === 0x5f || code === 0x7e;
}

function removeDotSegments(path: string): string | null {
  const kept: string[] = [];
  let start = 1;
  while (start <= path.length) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const segment = path.slice(start, end);
    if (segment.startsWith('.;') || segment.startsWith('..;')) return null;
    const dots = segment === '.' || segment === '..';
    if (segment === '..') kept.pop();
    if (!dots) kept.push(segment);
    // A dot segment at the end leaves the slash before it: `/a/b/..` is `/a/`.
    else if (slash === -1) kept.push('');
    start = end + 1;
  }
  return `/${kept.join('/')}`;
}

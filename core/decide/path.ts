// Paths: how a pattern of the config is matched against the path of a request, how specific it is, and how a
// path is made safe to match at all. Both `match` and `authorize` stand on this one meaning.
import type { PathPattern } from '../model/mesh.ts';

/** A segment of a compiled pattern: its literal text, or null for any one non-empty segment. */
export type Segment = string | null;

export interface CompiledPath {
  readonly kind: PathPattern['kind'];
  readonly path: string;
  /** `/a/{b}` is ['a', null]; a trailing slash is a last segment ''. */
  readonly segments: readonly Segment[];
  /** Everything under the segments matches too, and they alone: `prefix`, and a glob that ends in `**`. */
  readonly subtree: boolean;
  /** Length of the text before the first wildcard: what makes one pattern of a kind more specific than another. */
  readonly literalLength: number;
}

const SLASH = 0x2f;

export function compilePath(pattern: PathPattern): CompiledPath {
  const { kind, path } = pattern;
  if (kind === 'exact') {
    return { kind, path, segments: path.slice(1).split('/'), subtree: false, literalLength: path.length };
  }
  // `prefix: /a/` means `/a` (Gateway API PathPrefix ignores the last slash).
  let text = kind === 'prefix' && path.endsWith('/') ? path.slice(0, -1) : path;
  let subtree = kind === 'prefix';
  if (kind === 'glob' && text.endsWith('/**')) {
    text = text.slice(0, -3);
    subtree = true;
  }
  const parts = text === '' ? [] : text.slice(1).split('/');
  const segments = parts.map((part) => (isWild(kind, part) ? null : part));
  return { kind, path, segments, subtree, literalLength: literalLength(segments, subtree) };
}

function isWild(kind: PathPattern['kind'], part: string): boolean {
  if (kind === 'template') return part.length > 2 && part.startsWith('{') && part.endsWith('}');
  return kind === 'glob' && part === '*';
}

function literalLength(segments: readonly Segment[], subtree: boolean): number {
  let length = 0;
  for (const segment of segments) {
    if (segment === null) return length + 1;
    length += segment.length + 1;
  }
  return subtree ? length + 1 : length;
}

/** Whether a path (no query) is one of the pattern's. */
export function pathMatches(pattern: CompiledPath, path: string): boolean {
  if (pattern.kind === 'exact') return path === pattern.path;
  if (path.charCodeAt(0) !== SLASH) return false;
  const { segments } = pattern;
  let start = 1;
  for (let i = 0; i < segments.length; i++) {
    if (start > path.length) return false;
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const segment = segments[i] as Segment;
    if (segment === null ? end === start : end - start !== segment.length || !path.startsWith(segment, start)) {
      return false;
    }
    start = end + 1;
  }
  return pattern.subtree || start > path.length;
}

/** Whether every path that `inner` matches is matched by `outer` too. */
export function pathCovers(outer: CompiledPath, inner: CompiledPath): boolean {
  if (outer.subtree ? inner.segments.length < outer.segments.length : inner.segments.length !== outer.segments.length) {
    return false;
  }
  if (inner.subtree && !outer.subtree) return false;
  for (let i = 0; i < outer.segments.length; i++) {
    if (!segmentCovers(outer.segments[i] as Segment, inner.segments[i] as Segment)) return false;
  }
  return true;
}

function segmentCovers(outer: Segment, inner: Segment): boolean {
  return outer === null ? inner !== '' : outer === inner;
}

/** Whether there is a path that both match. */
export function pathsOverlap(a: CompiledPath, b: CompiledPath): boolean {
  const [short, long] = a.segments.length <= b.segments.length ? [a, b] : [b, a];
  if (short.segments.length !== long.segments.length && !short.subtree) return false;
  for (let i = 0; i < short.segments.length; i++) {
    const one = short.segments[i] as Segment;
    const other = long.segments[i] as Segment;
    if (!segmentCovers(one, other) && !segmentCovers(other, one)) return false;
  }
  return true;
}

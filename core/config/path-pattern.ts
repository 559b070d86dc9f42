// Path patterns as written in config: `/healthz`, `/users/{id}`, `/api/**`; and what a pattern's paths
// all begin with, which a rewrite needs.
import { normalizePath } from '../decide/normalize-path.ts';
import { err, ok, type Result } from '../kit/result.ts';
import type { PathPattern } from '../model/mesh.ts';

export interface PatternFault {
  /** Continues "found X, expected …". */
  readonly expected: string;
  readonly hint: string;
}

const PARAMETER = /^\{[A-Za-z_][A-Za-z0-9_-]*\}$/;
// RFC 3986 §3.3 pchar, and `*`, `{`, `}` for the pattern itself.
const PATH_CHARS = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/{}]|%[0-9A-Fa-f]{2})*$/;

/** `**` last or `*` anywhere makes a glob, `{name}` a template, else the path is exact. */
export function parsePathPattern(text: string): Result<PathPattern, PatternFault> {
  const normal = readPath(text);
  if (!normal.ok) return normal;
  const segments = normal.value.slice(1).split('/');
  const names = new Set<string>();
  for (const [index, segment] of segments.entries()) {
    const wrong = checkSegment(segment, index === segments.length - 1);
    if (wrong !== null) return err(wrong);
    if (!PARAMETER.test(segment)) continue;
    if (names.has(segment)) return err({ expected: `each name once, but ${segment} is there twice`, hint: '' });
    names.add(segment);
  }
  const isGlob = segments.some((segment) => segment === '*' || segment === '**');
  if (!isGlob) return ok({ kind: names.size > 0 ? 'template' : 'exact', path: normal.value });
  // In a glob a parameter means no more than `*`: nothing reads its name.
  const path = segments.map((segment) => (PARAMETER.test(segment) ? '*' : segment)).join('/');
  return ok({ kind: 'glob', path: `/${path}` });
}

/** A literal path by whole segments, as `prefix:` and `rewrite` take it; no slash at its end, but `/` alone. */
export function parsePathPrefix(text: string): Result<string, PatternFault> {
  const normal = readPath(text);
  if (!normal.ok) return normal;
  if (/[*{}]/.test(text)) {
    return err({ expected: 'a plain path without *, { and }', hint: 'a prefix takes in all that is under it' });
  }
  const path = normal.value;
  return ok(path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path);
}

/** Whether every path that the pattern matches is `prefix` or lies under it. */
export function alwaysHasPrefix(pattern: PathPattern, prefix: string): boolean {
  if (prefix === '/') return true;
  const literal: string[] = [];
  for (const segment of pattern.path.split('/')) {
    if (pattern.kind !== 'exact' && pattern.kind !== 'prefix' && /[*{]/.test(segment)) break;
    literal.push(segment);
  }
  const start = literal.join('/');
  return start === prefix || start.startsWith(`${prefix}/`);
}

/** In the normal form of request paths: a pattern in another form would never match. */
function readPath(text: string): Result<string, PatternFault> {
  const fault = checkPath(text);
  if (fault !== null) return err(fault);
  const normal = normalizePath(text);
  if (normal !== null) return ok(normal);
  return err({ expected: 'a path that is let through', hint: 'requests with %2F, %5C or %00 are refused with 400' });
}

function checkPath(text: string): PatternFault | null {
  if (!text.startsWith('/'))
    return { expected: 'a path that begins with /', hint: text === '' ? '' : `write /${text}` };
  if (/[?#]/.test(text)) return { expected: 'a path without ? and #', hint: 'match a query by the key query' };
  if (!PATH_CHARS.test(text)) {
    return { expected: 'only characters that a request path can have (RFC 3986)', hint: percentHint(text) };
  }
  if (text.includes('//')) return { expected: 'no empty segment', hint: `write ${text.replaceAll(/\/{2,}/g, '/')}` };
  if (/\/(\.|%2e){1,2}(\/|$)/i.test(text))
    return { expected: 'no segment . or ..', hint: 'no request arrives with one' };
  return null;
}

function checkSegment(segment: string, isLast: boolean): PatternFault | null {
  if (segment === '**') {
    return isLast ? null : { expected: '** at the end only', hint: 'use * for one segment in between' };
  }
  if (segment === '*' || PARAMETER.test(segment)) return null;
  if (segment.includes('*')) return { expected: '* to be a whole segment', hint: 'write /* or /**' };
  if (/[{}]/.test(segment)) {
    return { expected: '{name} to be a whole segment', hint: 'a name has letters, digits, _ and -' };
  }
  return null;
}

function percentHint(text: string): string {
  if (/\s/.test(text)) return 'write a space as %20';
  return text.includes('%') ? 'a % is followed by two hexadecimal digits' : 'write it percent-encoded';
}

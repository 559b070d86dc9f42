// What an upstream sees as target where a route rewrites the matched prefix.
import type { PrefixRewrite } from '../model/mesh.ts';

/**
 * Replaces the prefix of a target (path and query) by whole segments; a target without that prefix stays as it is.
 * `{ prefix: /a, to: /b }`: `/a/x?q` becomes `/b/x?q`, `/a` becomes `/b`, `/ab` stays. `to: /` removes the prefix.
 * Source: Gateway API ReplacePrefixMatch.
 */
export function rewriteTarget(target: string, rewrite: PrefixRewrite | null): string {
  if (rewrite === null) return target;
  const prefix = withoutLastSlash(rewrite.prefix);
  if (!target.startsWith(prefix)) return target;
  const next = target.charCodeAt(prefix.length);
  const end = target.length === prefix.length;
  if (!end && next !== 0x2f && next !== 0x3f) return target;
  const to = withoutLastSlash(rewrite.to);
  const rest = target.slice(prefix.length);
  // `/a` to `/` leaves nothing before the query or the end: the root.
  return to === '' && (end || next === 0x3f) ? `/${rest}` : to + rest;
}

function withoutLastSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

// Where a TLS connection goes that is not opened: by the name that its client asks for.
import { hostMatches } from './match.ts';

/** Exact names before suffixes, longer suffixes before shorter ones. `sni`: as in TcpRoute. undefined: nowhere. */
export function compilePassthrough<T>(
  routes: readonly { readonly sni: readonly string[]; readonly value: T }[],
): (serverName: string) => T | undefined {
  const exact = new Map<string, T>();
  const suffixes: { readonly pattern: string; readonly value: T }[] = [];
  for (const { sni, value } of routes) {
    for (const name of sni) {
      if (name.startsWith('*.')) suffixes.push({ pattern: name, value });
      else if (!exact.has(name)) exact.set(name, value);
    }
  }
  suffixes.sort((a, b) => b.pattern.length - a.pattern.length);
  return (serverName) =>
    exact.get(serverName) ?? suffixes.find(({ pattern }) => hostMatches([pattern], serverName))?.value;
}

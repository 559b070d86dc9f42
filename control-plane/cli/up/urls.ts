// What to try once the mesh is up: the base URL of every edge listener, and a request per route to paste.
import { targetCluster } from '../../../core/compile/resources.ts';
import type { PathPattern, RouteRule } from '../../../core/model/mesh.ts';
import type { EdgePlan } from './plan.ts';
import type { Readiness } from './readiness.ts';

export interface ListenerUrl {
  readonly url: string;
  readonly tls: boolean;
  /** A browser can go there. */
  readonly http: boolean;
}

const SHOWN_ROUTES = 6;

/** In config order, those that are bound. */
export function listenerUrls(edges: Iterable<EdgePlan>, readiness: Readiness): readonly ListenerUrl[] {
  return [...edges].flatMap((edge) =>
    edge.listeners.flatMap((listener, index) => {
      const bound = readiness.port(`edge-${edge.name}`, `edge/${edge.name}/${index}`);
      if (bound === null) return [];
      const tls = listener.tls !== null;
      // Loopback names are always served, and in the certificate.
      const local = ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(listener.address);
      const host = local ? (tls ? 'localhost' : '127.0.0.1') : listener.address;
      const http = listener.protocol === 'http' && listener.tls !== 'passthrough';
      const scheme = http ? (tls ? 'https' : 'http') : tls ? 'tls' : 'tcp';
      return [{ url: `${scheme}://${host}:${bound.port}`, tls, http }];
    }),
  );
}

/** Where requests can be tried: TLS first. */
export function baseUrl(urls: readonly ListenerUrl[]): ListenerUrl | undefined {
  const http = urls.filter((url) => url.http);
  return http.find(({ tls }) => tls) ?? http[0];
}

/** The URL for scripts. */
export function mainUrl(urls: readonly ListenerUrl[]): string {
  return baseUrl(urls)?.url ?? '';
}

/** Commands that work as they stand, one per route that leads to HTTP, the first few. */
export function sampleCommands(edges: Iterable<EdgePlan>, base: ListenerUrl, ca: string): readonly string[] {
  const trust = base.tls ? ` --cacert ${shellWord(ca)}` : '';
  const samples = new Set<string>();
  for (const edge of edges) {
    for (const route of edge.routes) {
      if (!route.to.some((target) => edge.http.includes(targetCluster(target)))) continue;
      const method = route.match.methods.includes('GET') ? undefined : route.match.methods[0];
      const verb = method === undefined ? '' : ` -X ${method}`;
      samples.add(`curl${trust}${verb}${sampleHeaders(route)} ${shellWord(base.url + samplePath(route.match.path))}`);
    }
  }
  return [...samples].slice(0, SHOWN_ROUTES);
}

function sampleHeaders({ match }: RouteRule): string {
  const host = match.hosts[0] === undefined ? [] : [{ name: 'Host', value: match.hosts[0].replace('*', 'www') }];
  return [...host, ...match.headers].map(({ name, value }) => ` -H ${shellWord(`${name}: ${value}`)}`).join('');
}

function samplePath(pattern: PathPattern): string {
  switch (pattern.kind) {
    case 'exact':
      return pattern.path;
    case 'prefix':
      return pattern.path;
    case 'template':
      return pattern.path.replaceAll(/\{[^}]*\}/g, '42');
    case 'glob':
      return pattern.path.replace(/\/\*\*$/, '').replaceAll('*', '42') || '/';
  }
}

function shellWord(text: string): string {
  return /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

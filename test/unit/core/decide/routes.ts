// Routes and requests for the tests of core/decide, written short.
import type { MatchInput } from '../../../../core/decide/match.ts';
import { clusterName, milliseconds, ruleId } from '../../../../core/model/brand.ts';
import type { PathPattern, RouteMatch } from '../../../../core/model/mesh.ts';
import type { Route } from '../../../../core/model/view.ts';

export function pattern(text: string): PathPattern {
  if (text.startsWith('prefix ')) return { kind: 'prefix', path: text.slice('prefix '.length) };
  if (text.includes('*')) return { kind: 'glob', path: text };
  return { kind: text.includes('{') ? 'template' : 'exact', path: text };
}

export function route(path: string, match: Partial<RouteMatch> = {}, name = path): Route {
  return {
    ruleId: ruleId(name),
    match: { hosts: [], methods: [], headers: [], query: [], ...match, path: pattern(path) },
    split: [{ cluster: clusterName('orders'), weight: 1 }],
    rewrite: null,
    timeout: milliseconds(0),
    perTryTimeout: milliseconds(0),
    idleTimeout: null,
  };
}

export interface Request {
  readonly host?: string;
  readonly method?: string;
  readonly path: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function request({ host = 'api.test', method = 'GET', path, query = '', headers = {} }: Request): MatchInput {
  return { host, method, path, query, header: (lowerName) => headers[lowerName] };
}

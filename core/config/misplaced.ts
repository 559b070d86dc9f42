// Right keys in the wrong place, and what other tools call them: the hint says where they belong.
import { patternOf, type Path } from './problem.ts';

const MATCH = 'it belongs under match: { … }';
const LISTENER = 'it belongs into an item of listeners';
const ALLOW = 'it belongs into an item of allow';
const SERVICE = 'it belongs under services.<name>';

const HINTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '': {
    trustDomain: 'it belongs under mesh',
    authorization: 'it belongs under mesh',
    routes: 'it belongs under edges.<name>',
    listeners: 'it belongs under edges.<name>',
  },
  'services.*': {
    command: 'write run',
    from: ALLOW,
    methods: ALLOW,
    paths: ALLOW,
    replicas: 'write instances',
    upstreams: 'write endpoints',
    dependsOn: 'write calls',
    depends_on: 'write calls',
  },
  'edges.*': { port: LISTENER, address: LISTENER, hosts: LISTENER, match: 'it belongs into an item of routes' },
  'edges.*.listeners[*]': { routes: 'it belongs beside listeners' },
  'edges.*.routes[*]': {
    path: MATCH,
    prefix: MATCH,
    host: MATCH,
    hosts: MATCH,
    method: MATCH,
    methods: MATCH,
    query: MATCH,
    headers: MATCH,
    service: 'write to',
    target: 'write to',
    weight: 'write to: { orders@v1: 95, orders@v2: 5 }',
    balance: SERVICE,
    run: SERVICE,
  },
};

/** '' where the key is not known to be wanted elsewhere. */
export function misplacedHint(path: Path, key: string): string {
  const hints = HINTS[patternOf(path)] ?? {};
  return Object.hasOwn(hints, key) ? (hints[key] ?? '') : '';
}

// The shape of the YAML, written once: the check of a file, the type of what passed it, and
// config.schema.json for editors all come from here. A `title` says what is expected, in the words of an
// error message; a `description` is what an editor shows.
import { Type, type Static } from 'typebox';
import { FORWARDED_FIELDS, LIMIT_BOUNDS } from '../model/listener.ts';
import {
  closed,
  duration,
  health,
  MOST,
  named,
  names,
  oneOrMany,
  port,
  portProtocol,
  protocol,
  size,
  texts,
  timeouts,
  workers,
} from './schema-parts.ts';

/** Of a configuration that names none. */
export const DEFAULT_TRUST_DOMAIN = 'weft.local';

const mesh = Type.Object(
  {
    trustDomain: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9._-]{1,255}$',
        title: 'a trust domain of lower-case letters, digits, dots and hyphens',
        description: 'Trust domain of every identity: spiffe://<trustDomain>/ns/default/sa/<service>.',
        default: DEFAULT_TRUST_DOMAIN,
      }),
    ),
    mtls: Type.Optional(
      Type.Enum(['strict'], { title: '"strict"', description: 'Mutual TLS between all proxies.', default: 'strict' }),
    ),
    egress: Type.Optional(
      Type.Enum(['deny'], {
        title: '"deny"',
        description: 'What is not in this file is not reached.',
        default: 'deny',
      }),
    ),
    authorization: Type.Optional(
      Type.Enum(['calls', 'explicit'], {
        title: '"calls" or "explicit"',
        description: 'calls: `calls` admits where the callee has no `allow`. explicit: `allow` is mandatory.',
        default: 'calls',
      }),
    ),
  },
  { ...closed, title: 'a mapping', description: 'What holds for the whole mesh.' },
);

const allow = Type.Object(
  {
    from: oneOrMany('a service or a list of services', 'Who may call: service names, or edge-<name> for an edge.'),
    methods: Type.Optional(
      texts('an HTTP method', 'a list of HTTP methods', 'Only these methods. Without it: every method.'),
    ),
    paths: Type.Optional(
      texts(
        'a path pattern',
        'a list of path patterns',
        'Only these paths: /charge, /users/{id}, /api/**. Without it: every path.',
      ),
    ),
  },
  { ...closed, title: 'a mapping with from', description: 'One permission.' },
);

const version = Type.Object(
  {
    instances: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1000,
        title: 'a whole number from 0 to 1000',
        description: 'How many `weft up` starts.',
        default: 1,
      }),
    ),
  },
  { ...closed, title: 'a mapping', description: 'One version of the service.' },
);

const servicePort = Type.Object(
  { port: port(1, 'The port that the app listens on.'), protocol: Type.Optional(portProtocol) },
  { ...closed, title: 'a mapping with port and protocol', description: 'One port.' },
);

const service = Type.Object(
  {
    port: Type.Optional(port(1, 'The port that the app listens on. Without it the service is a job: it only calls.')),
    protocol: Type.Optional(protocol),
    ports: Type.Optional(
      named(
        Type.Union([port(1, 'A port whose name is its protocol.'), servicePort], {
          title: 'a port, or a mapping with port and protocol',
        }),
        'a mapping of ports',
        'Several ports: { http: 8080, grpc: 9090, admin: { port: 9000, protocol: http } }. The names http, http2, grpc and tcp say the protocol.',
      ),
    ),
    run: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: MOST.text,
        title: 'a command line',
        description: 'The command with which `weft up` starts the app.',
      }),
    ),
    calls: Type.Optional(names('a list of services', 'The services that this one calls; it reaches no others.')),
    allow: Type.Optional(
      Type.Array(allow, {
        maxItems: MOST.rules,
        title: 'a list of permissions',
        description: 'Who may call this service. A caller needs this and its own `calls`. An empty list admits nobody.',
      }),
    ),
    versions: Type.Optional(
      named(version, 'a mapping of versions', 'Versions that run side by side: { v1: { instances: 2 }, v2: {} }.'),
    ),
    instances: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1000,
        title: 'a whole number from 0 to 1000',
        description: 'How many `weft up` starts, where there are no versions.',
        default: 1,
      }),
    ),
    workers: Type.Optional(workers()),
    balance: Type.Optional(
      Type.Enum(['round-robin', 'least-request'], {
        title: '"round-robin" or "least-request"',
        description: 'How callers choose an instance.',
        default: 'least-request',
      }),
    ),
    timeout: Type.Optional(
      timeouts('The longest that a whole request may take, retries included. Default 15s; grpc: none.'),
    ),
    health: Type.Optional(health()),
    proxyProtocol: Type.Optional(
      Type.Enum(['v1', 'v2'], {
        title: '"v1" or "v2"',
        description: 'tcp: connections to the app or the endpoints begin with a PROXY header that names the client.',
      }),
    ),
    endpoints: Type.Optional(
      texts('host:port', 'a list of host:port', 'A service outside the mesh, at these addresses, without TLS.'),
    ),
  },
  { ...closed, title: 'a mapping', description: 'One service.' },
);

const limits = Type.Object(
  {
    requestLine: Type.Optional(size('The longest request line; above it 414.', '8KiB')),
    headerSize: Type.Optional(size('All header fields of a request together; above it 431.', '60KiB')),
    headerCount: Type.Optional(
      Type.Integer({
        minimum: LIMIT_BOUNDS.headerCount.least,
        maximum: LIMIT_BOUNDS.headerCount.most,
        title: `a whole number from ${LIMIT_BOUNDS.headerCount.least} to ${LIMIT_BOUNDS.headerCount.most}`,
        description: 'Header fields of a request; above it 431.',
        default: 100,
      }),
    ),
    bodySize: Type.Optional(size('The largest request body; above it 413. 0: none, as bodies are streamed.', 0)),
    headerTimeout: Type.Optional(duration('The longest from the first byte of a head to its end; 408. Default 10s.')),
  },
  { ...closed, title: 'a mapping of limits', description: 'How large and how slow a request may be.' },
);

const TARGET = 'a service, service@version, or a mapping of these to weights';

const target = Type.Union(
  [
    Type.String({ maxLength: MOST.text }),
    Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: 1_000_000, title: 'a weight from 0 to 1000000' }), {
      minProperties: 1,
      maxProperties: MOST.items,
      title: TARGET,
    }),
  ],
  {
    title: TARGET,
    description: 'orders, orders@v2, orders:grpc for a further port, or { orders@v1: 95, orders@v2: 5 }.',
  },
);

const listener = Type.Object(
  {
    port: port(0, 'The port that clients connect to; 0 lets the system choose.'),
    address: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Fa-f.:]+$',
        title: 'an IP address',
        description: 'The address that is listened on.',
        default: '0.0.0.0',
      }),
    ),
    hosts: Type.Optional(
      texts(
        'a host name',
        'a list of host names',
        'The host names that are served, or *.suffix. Without it: every host.',
      ),
    ),
    tls: Type.Optional(
      Type.Enum(['internal', 'passthrough'], {
        title: '"internal" or "passthrough"',
        description:
          "internal: TLS with a certificate of the mesh's own authority. passthrough: TLS goes on to the service that its SNI names in routes. Without it: plaintext.",
      }),
    ),
    limits: Type.Optional(limits),
    trustedProxies: Type.Optional(
      texts(
        'an IP address or a CIDR block',
        'a list of IP addresses and CIDR blocks',
        'Proxies in front of this one, whose word on their clients is believed. Without it: nobody.',
      ),
    ),
    forwarded: Type.Optional(
      Type.Enum([...FORWARDED_FIELDS], {
        title: '"x-forwarded", "forwarded" or "both"',
        description: 'How services are told of the client: X-Forwarded-*, Forwarded (RFC 7239), or both.',
        default: 'x-forwarded',
      }),
    ),
    protocol: Type.Optional(
      Type.Enum(['http', 'tcp'], {
        title: '"http" or "tcp"',
        description: 'tcp: every connection goes to the service in to.',
        default: 'http',
      }),
    ),
    to: Type.Optional(target),
    proxyProtocol: Type.Optional(
      Type.Object(
        { from: texts('a network such as 10.0.0.0/8', 'a list of networks', 'Load balancers in front, as CIDR.') },
        {
          ...closed,
          title: 'a mapping with from',
          description: 'Connections from there begin with a PROXY header (v1 or v2); those from elsewhere have none.',
        },
      ),
    ),
  },
  { ...closed, title: 'a mapping with port', description: 'A socket of the edge.' },
);

const matchObject = Type.Object(
  {
    sni: Type.Optional(
      oneOrMany(
        'a host name or a list of host names',
        'With tls: passthrough: the name that a TLS client asks for, or *.suffix.',
      ),
    ),
    path: Type.Optional(
      Type.String({ maxLength: MOST.text, title: 'a path pattern', description: 'Exact, /users/{id} or /api/**.' }),
    ),
    prefix: Type.Optional(
      Type.String({ maxLength: MOST.text, title: 'a path', description: 'This path and everything under it.' }),
    ),
    host: Type.Optional(Type.String({ title: 'a host name', description: 'A host name, or *.suffix.' })),
    hosts: Type.Optional(texts('a host name', 'a list of host names')),
    method: Type.Optional(Type.String({ title: 'an HTTP method' })),
    methods: Type.Optional(texts('an HTTP method', 'a list of HTTP methods')),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String({ maxLength: MOST.text, title: 'a text' }), {
        maxProperties: MOST.items,
        title: 'a mapping of header fields',
        description: 'Every one must be there with exactly this value.',
      }),
    ),
    query: Type.Optional(
      Type.Record(Type.String(), Type.String({ maxLength: MOST.text, title: 'a text' }), {
        maxProperties: MOST.items,
        title: 'a mapping of query parameters',
        description: 'Every one must be there with exactly this value.',
      }),
    ),
  },
  closed,
);

const route = Type.Object(
  {
    match: Type.Union([Type.String({ maxLength: MOST.text }), matchObject], {
      title: 'METHOD PATTERN, or a mapping',
      description: 'POST /api/v2/orders/**, GET,HEAD /users/{id}, /api/**, or { path, host, method, headers, query }.',
    }),
    to: target,
    rewrite: Type.Optional(
      Type.Object(
        {
          prefix: Type.String({
            maxLength: MOST.text,
            title: 'a path',
            description: 'What is taken off the front of the path.',
          }),
          to: Type.String({ maxLength: MOST.text, title: 'a path', description: 'What is put there instead.' }),
        },
        { ...closed, title: 'a mapping with prefix and to' },
      ),
    ),
    timeout: Type.Optional(timeouts("The longest that a whole request may take. Default: the service's own.")),
  },
  { ...closed, title: 'a mapping with match and to', description: 'Which requests go where.' },
);

const edge = Type.Object(
  {
    listeners: Type.Array(listener, { minItems: 1, maxItems: MOST.items, title: 'a list of listeners' }),
    workers: Type.Optional(workers()),
    routes: Type.Optional(
      Type.Array(route, {
        maxItems: MOST.routes,
        title: 'a list of routes',
        description: 'Exact paths win over templates, those over the longest prefix, that over globs; then file order.',
      }),
    ),
  },
  {
    ...closed,
    title: 'a mapping with listeners and routes',
    description: 'A front door for clients outside the mesh.',
  },
);

export const CONFIG_SCHEMA = Type.Object(
  {
    version: Type.Literal(1, { title: '1', description: 'Version of this format.' }),
    mesh: Type.Optional(mesh),
    services: Type.Optional(named(service, 'a mapping of services', 'The services of the mesh, by name.')),
    edges: Type.Optional(named(edge, 'a mapping of edges', 'The front doors of the mesh, by name.')),
  },
  { ...closed, title: 'a mapping with version: 1' },
);

export type ConfigFile = Static<typeof CONFIG_SCHEMA>;
export type ServiceFile = Static<typeof service>;
export type EdgeFile = Static<typeof edge>;
export type ListenerFile = Static<typeof listener>;
export type RouteFile = Static<typeof route>;
export type MatchFile = Static<typeof route>['match'];

/** The document that ships as config.schema.json, as text. */
export function schemaDocument(): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...(JSON.parse(JSON.stringify(CONFIG_SCHEMA)) as Record<string, unknown>),
    title: 'Weft configuration',
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

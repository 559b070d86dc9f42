// What the API tells of the mesh, as JSON schemas and types at once: the OpenAPI description is made of it, the
// server's answers are held to it by a test, and clients take it for their types.
import { Type } from 'typebox';
import { ROLES } from '../../certs/policy/operator.ts';
import { AT, count, flag, oneOf, orNull, port, record, text, texts, time, type Shape } from './contract-parts.ts';

const TARGET = record({
  service: text('Name of a service.'),
  version: orNull(text('One version of it; null: every one.')),
  port: text('Name of a further port; empty: the main one.'),
  weight: Type.Number({ minimum: 0, description: 'A share of the sum.' }),
});
const NAME_VALUE = record({ name: Type.String(), value: Type.String() });

export const STATUS = record(
  {
    version: text('Of the program.'),
    time: time('The clock of the control plane.'),
    ready: flag('Whether a configuration is in force.'),
    trustDomain: text('Of the mesh.'),
    snapshot: orNull(text('Hash of the configuration in force; null: none yet.')),
    caller: record({
      name: text('Whose certificate it is; empty on the Unix socket.'),
      role: oneOf(ROLES, 'What the caller may do.'),
    }),
    proxies: count('With an open stream.'),
    instances: count('In the registry.'),
    acks: count('Views that proxies took, since the start of the process.'),
    nacks: count('Views that proxies refused, since the start of the process.'),
    invalidConfigs: count('Configurations that were read and refused, since the start of the process.'),
    configTrouble: text('What is wrong with the watched files as they are now; empty: nothing.'),
    certificateNotAfter: time("End of the control plane's own certificate."),
    authority: record({
      notAfter: time('End of the certificate that signs.'),
      rootFingerprint: text('SHA-256 of the root, base64url.'),
    }),
  },
  'The control plane itself.',
);
export type StatusItem = Shape<typeof STATUS>;

const PROXY_STATUS = record(
  {
    time: time('When it came.'),
    snapshot: orNull(text('What it runs by its own word; null: none yet.')),
    viewOrigin: oneOf(['stream', 'disk', 'unknown'], 'Where the view that runs came from.'),
    viewAgeSeconds: Type.Number({ minimum: 0, description: 'Since a control plane last stood behind that view.' }),
    certificate: orNull(
      record({ serial: text('Hex, lower case.'), notAfter: time('When it ends.') }, 'The one in use; null: not said.'),
    ),
    appHealth: oneOf(['up', 'down', 'not-probed'], 'As its own sidecar finds the app.'),
    appHealthReason: text('Why the app is down; else empty.'),
    inFlight: Type.Number({ minimum: 0, description: 'Requests that are being forwarded.' }),
    requestsPerSecond: Type.Number({ minimum: 0, description: 'Over the time since the status before.' }),
    draining: flag('It takes no new calls.'),
    clockOffsetMs: orNull(
      Type.Number({ description: 'Its clock less that of the control plane, when the status came; null: not said.' }),
    ),
    unbound: texts('Addresses of its view on which it could not listen.'),
    unreachable: Type.Array(record({ cluster: Type.String(), endpoint: Type.String(), reason: Type.String() }), {
      description: 'Instances that it could not reach when it last tried.',
    }),
    memoryBytes: Type.Number({ minimum: 0, description: 'Resident memory; 0: not said.' }),
  },
  'How the proxy is, by its own word; null: it has not said, as an older one.',
);
export type ProxyStatusItem = Shape<typeof PROXY_STATUS>;

export const PROXY = record(
  {
    name: text('Of the instance.'),
    account: text('The service, or `edge-<name>`.'),
    version: orNull(text('Of the service; null: it has none.')),
    address: text('As the control plane sees it.'),
    inboundPort: port('Where it is called; 0: it is not.'),
    proxyVersion: text('Of its program.'),
    snapshot: orNull(text('Hash of the last view that it acknowledged; null: none on this stream.')),
    current: flag('Whether that is what is in force.'),
    refusal: orNull(record({ code: Type.String(), message: Type.String() }, 'Why it refused the last view.')),
    since: time('When its stream was opened.'),
    notAfter: time('End of the certificate with which it connected.'),
    registered: flag('Whether callers are told of it.'),
    drained: flag('An operator has taken it out.'),
    status: orNull(PROXY_STATUS),
  },
  'A proxy with an open stream.',
);
export type ProxyItem = Shape<typeof PROXY>;

export const SERVICE = record(
  {
    name: text('As in the configuration.'),
    kind: oneOf(['workload', 'static'], 'workload: with sidecars; static: plain endpoints outside the mesh.'),
    protocol: text('What the app speaks on its main port.'),
    port: orNull(port('The main port; null: it only calls.')),
    ports: Type.Array(record({ name: Type.String(), port: port('Of the app.'), protocol: Type.String() }), {
      description: 'Further ports.',
    }),
    versions: texts('Names of its versions.'),
    calls: texts('Services that it calls.'),
    callers: texts('Accounts that call it: services, and `edge-<name>` for edges.'),
    instances: Type.Array(
      record({
        name: Type.String(),
        version: orNull(Type.String()),
        host: Type.String(),
        port: port('Where callers reach it.'),
      }),
      { description: 'Where callers are sent.' },
    ),
    at: AT,
  },
  'A service of the configuration in force.',
);
export type ServiceItem = Shape<typeof SERVICE>;

export const ROUTE = record(
  {
    name: text('Its path in the configuration, `edges.main.routes[0]`.'),
    edge: text('Name of the edge.'),
    kind: oneOf(['http', 'tcp', 'passthrough'], 'Requests, connections, or TLS connections that are not opened.'),
    hosts: texts('Empty: every host.'),
    path: text('As in the configuration; empty where it is no HTTP.'),
    pathKind: oneOf(['exact', 'template', 'prefix', 'glob', 'none'], 'How the path is meant.'),
    methods: texts('Empty: every method.'),
    headers: Type.Array(NAME_VALUE, { description: 'Each must be there.' }),
    query: Type.Array(NAME_VALUE, { description: 'Each must be there.' }),
    to: Type.Array(TARGET, { description: 'Where it leads.' }),
    rewrite: orNull(record({ prefix: Type.String(), to: Type.String() })),
    timeoutMs: orNull(count('Of the whole request; null: that of the services; 0: none.')),
    at: AT,
  },
  'A route of an edge.',
);
export type RouteItem = Shape<typeof ROUTE>;

export const CERTIFICATE = record(
  {
    name: text('Serial: hex, lower case.'),
    purpose: oneOf(['root', 'issuing', 'svid', 'server'], 'What it is for.'),
    identity: text('SPIFFE id; empty: it has none.'),
    account: text('Whose; empty for the authority.'),
    version: orNull(text('Of the service; null: none.')),
    instance: text('Whose; empty for the authority.'),
    issuedAt: time('When it was signed.'),
    notAfter: time('When it ends.'),
    inUse: orNull(flag('Whether a connected proxy says that it uses it; null: none has said anything.')),
  },
  'A certificate that has not expired.',
);
export type CertificateItem = Shape<typeof CERTIFICATE>;

export const SNAPSHOT = record(
  {
    name: text('Its hash.'),
    number: count('Counts up and is never used twice.'),
    time: time('When it came in force.'),
    source: oneOf(['file', 'apply', 'rollback'], 'How.'),
    who: text('Who did it; the watched files for `file`.'),
    services: count('How many it has.'),
    edges: count('How many it has.'),
    inForce: flag('Whether it is what runs.'),
  },
  'A configuration of the history.',
);
export type SnapshotItem = Shape<typeof SNAPSHOT>;

export const AUDIT = record(
  {
    name: text('Number of the snapshot in the history.'),
    time: time('When it came in force.'),
    action: oneOf(['file', 'apply', 'rollback'], 'What was done.'),
    who: text('Who did it; the watched files for `file`.'),
    snapshot: text('Hash of what came in force.'),
    services: count('How many it has.'),
    edges: count('How many it has.'),
  },
  'A line of the audit log.',
);
export type AuditItem = Shape<typeof AUDIT>;

const CONFIG_FILE = record({
  name: Type.String({ maxLength: 1_024, description: 'For messages: its path where it was read.' }),
  text: text('YAML.'),
});
export const FILES = Type.Array(CONFIG_FILE, { minItems: 1, maxItems: 256, description: 'Merged into one.' });

export const CONFIG = record(
  { snapshot: text('Its hash.'), files: Type.Array(CONFIG_FILE) },
  'The configuration in force, as it was read.',
);
export type ConfigItem = Shape<typeof CONFIG>;

export const DECISIONS = record(
  {
    instance: text('Of the proxy that was asked.'),
    decisions: Type.Array(Type.Record(Type.String(), Type.Unknown()), {
      description: 'Newest first, as on the admin socket of the proxy.',
    }),
  },
  'What a proxy has denied of late.',
);
export type DecisionsItem = Shape<typeof DECISIONS>;

/** The lists of the API: path below /v1/, and what their items are. */
export interface Lists {
  readonly proxies: ProxyItem;
  readonly services: ServiceItem;
  readonly routes: RouteItem;
  readonly certificates: CertificateItem;
  readonly snapshots: SnapshotItem;
  readonly audit: AuditItem;
}
export type ListName = keyof Lists;

export interface List<Name extends ListName> {
  /** Hash of the configuration in force; null: none yet. */
  readonly snapshot: string | null;
  readonly items: readonly Lists[Name][];
}

/** A line of a watched list: first every item, then `synced`, then what changes. */
export type WatchEvent<Name extends ListName> =
  | { readonly type: 'item'; readonly item: Lists[Name] }
  | { readonly type: 'removed'; readonly name: string }
  | { readonly type: 'synced'; readonly snapshot: string | null }
  /** Nothing has changed; the connection lives. */
  | { readonly type: 'idle' }
  /** The server ends the stream; whoever wants to know more asks again. */
  | { readonly type: 'end'; readonly reason: string };

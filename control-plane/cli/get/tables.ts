// What `weft get` shows for people: one row per item, its most telling fields as columns.
import type {
  CertificateItem,
  List,
  Lists,
  ProxyItem,
  RouteItem,
  ServiceItem,
  SnapshotItem,
} from '../../api/contract.ts';

/** What `weft get` can show. */
export const KINDS = ['proxies', 'services', 'routes', 'certificates', 'snapshots'] as const;
export type Kind = (typeof KINDS)[number];

interface Table<Item> {
  readonly head: readonly string[];
  /** `now`: ms since 1970. */
  readonly row: (item: Item, now: number) => readonly string[];
}

type Tables = { readonly [Name in Kind]: Table<Lists[Name]> };

const TABLES: Tables = {
  proxies: {
    head: ['NAME', 'ACCOUNT', 'VERSION', 'ADDRESS', 'SNAPSHOT', 'STATE', 'CERTIFICATE', 'PROGRAM'],
    row: proxyRow,
  },
  services: {
    head: ['NAME', 'PROTOCOL', 'PORT', 'INSTANCES', 'CALLS', 'CALLERS', 'AT'],
    row: serviceRow,
  },
  routes: { head: ['NAME', 'HOSTS', 'METHODS', 'PATH', 'TO', 'AT'], row: routeRow },
  certificates: { head: ['SERIAL', 'PURPOSE', 'WHOSE', 'ENDS', 'IDENTITY'], row: certificateRow },
  snapshots: { head: [' ', 'SNAPSHOT', 'TIME', 'SOURCE', 'SERVICES', 'EDGES', 'WHO'], row: snapshotRow },
};

export function headOf(kind: Kind): readonly string[] {
  return TABLES[kind].head;
}

export function rowOf<Name extends Kind>(kind: Name, item: Lists[Name], now: number): readonly string[] {
  return TABLES[kind].row(item, now);
}

/** Newest first; the star is what runs. */
export function snapshotTable(snapshots: List<'snapshots'>['items']): readonly string[] {
  return aligned([TABLES.snapshots.head, ...snapshots.map(snapshotRow)]);
}

export function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = widthsOf(rows);
  return rows.map((row) => lineOf(row, widths));
}

/** Of the columns. */
export function widthsOf(rows: readonly (readonly string[])[]): readonly number[] {
  return (rows[0] ?? []).map((_, column) => rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0));
}

export function lineOf(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join('  ')
    .trimEnd();
}

function proxyRow(proxy: ProxyItem, now: number): readonly string[] {
  const { name, account, version, address, inboundPort, snapshot, proxyVersion, notAfter } = proxy;
  return [
    ...[name, account, version ?? '-', inboundPort === 0 ? address : `${address}:${inboundPort}`],
    ...[snapshot?.slice(0, 12) ?? '-', proxyState(proxy), span(Date.parse(notAfter) - now), proxyVersion],
  ];
}

/** The worst first. */
function proxyState({ refusal, status, current, snapshot, registered, drained, inboundPort }: ProxyItem): string {
  if (refusal !== null) return `refused: ${refusal.message}`;
  if (status?.draining === true) return 'draining';
  if (drained) return 'drained';
  const unbound = status?.unbound ?? [];
  if (unbound.length > 0) return `cannot listen: ${listed(unbound)}`;
  if (status?.appHealth === 'down') return `app down: ${status.appHealthReason}`;
  if (snapshot === null) return 'no view yet';
  if (!current) return 'stale';
  return registered || inboundPort === 0 ? 'ready' : 'not called';
}

function serviceRow({ name, kind, protocol, port, instances, calls, callers, at }: ServiceItem): readonly string[] {
  const where = kind === 'static' ? `${instances.length} static` : `${instances.length}`;
  return [name, protocol, port === null ? '-' : `${port}`, where, listed(calls), listed(callers), at];
}

function routeRow({
  name,
  kind,
  hosts,
  methods,
  path,
  pathKind,
  headers,
  query,
  to,
  at,
}: RouteItem): readonly string[] {
  const sum = to.reduce((total, { weight }) => total + weight, 0);
  const targets = to.map(({ service, version, port, weight }) => {
    const target = `${service}${version === null ? '' : `@${version}`}${port === '' ? '' : `:${port}`}`;
    return to.length === 1 ? target : `${target} ${Math.round((weight / Math.max(sum, 1)) * 100)}%`;
  });
  const also = [...headers.map((field) => field.name), ...query.map((field) => `?${field.name}`)];
  const more = [...(pathKind === 'prefix' ? ['prefix'] : []), ...also].join(', ');
  const shown = kind === 'http' ? `${path}${more === '' ? '' : ` (${more})`}` : kind;
  return [name, listed(hosts, '*'), listed(methods, '*'), shown, listed(targets), at];
}

function certificateRow({ name, purpose, account, instance, notAfter, identity }: CertificateItem, now: number) {
  return [name, purpose, instance || account || '-', span(Date.parse(notAfter) - now), identity || '-'];
}

function snapshotRow({ name, time, source, who, services, edges, inForce }: SnapshotItem): readonly string[] {
  return [inForce ? '*' : ' ', name, time.replace(/\.\d+Z$/, 'Z'), source, `${services}`, `${edges}`, who];
}

const MOST_LISTED = 4;

function listed(names: readonly string[], none = '-'): string {
  if (names.length === 0) return none;
  const more = names.length - MOST_LISTED;
  return more > 0 ? `${names.slice(0, MOST_LISTED).join(', ')} and ${more} more` : names.join(', ');
}

/** `in 71h`, `2m ago`. */
function span(ms: number): string {
  const size = Math.abs(ms);
  const text =
    size >= 10 * DAY
      ? `${Math.floor(size / DAY)}d`
      : size >= HOUR
        ? `${Math.floor(size / HOUR)}h`
        : `${Math.floor(size / 60_000)}m`;
  return ms >= 0 ? `in ${text}` : `${text} ago`;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

// Which port of a service is its main one, whether it speaks HTTP or is carried as bytes, and which others are carried.
import { datagramsOfPort, protocolOfImage, protocolOfPort } from './protocols.ts';
import type { ComposeService } from './project.ts';
import type { Reference } from './references.ts';

export type Choice =
  | {
      readonly kind: 'member';
      /** The main one; null: a job, no port is known. */
      readonly port: number | null;
      readonly protocol: 'http' | 'tcp';
      readonly reason: string;
      /** Further ports, carried as bytes whatever is spoken there. */
      readonly further: readonly number[];
      /** Known ports that are not carried: those of published ranges. */
      readonly others: readonly number[];
    }
  | { readonly kind: 'outside'; readonly reason: string };

interface Candidate {
  readonly port: number;
  readonly reason: string;
}

const PORT_VARIABLES = ['PORT', 'HTTP_PORT', 'SERVER_PORT', 'APP_PORT', 'LISTEN_PORT'];
const HEALTH_URL = /http:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d{1,5}))?(?=[/\s"'?]|$)/i;

/** `callers`: references to this service. `wish`: the user says that it speaks HTTP, and perhaps where. */
export function choosePort(
  service: ComposeService,
  callers: readonly Reference[],
  wish: { readonly port: number | null } | null,
): Choice {
  const known = knownPorts(service, callers);
  const member = (protocol: 'http' | 'tcp', { port, reason }: Candidate): Choice => {
    const further = known.filter((each) => each !== port);
    return { kind: 'member', protocol, port, reason, further, others: rangePorts(service, [port, ...further]) };
  };
  const http = httpPort(service, callers, wish);
  if (http !== null) return member('http', http);
  const datagrams = service.ports.some(({ protocol }) => protocol === 'udp') ? 'a published port' : udpOf(known);
  if (datagrams !== null) return { kind: 'outside', reason: `${datagrams} is UDP, which is not carried` };
  const bytes = bytesPort(service, callers, known);
  if (bytes !== null) return member('tcp', bytes);
  const others = rangePorts(service, []);
  const reason = `no known port: a job, it only calls; if it listens: --http ${service.name}:PORT`;
  return { kind: 'member', port: null, protocol: 'http', reason, further: [], others };
}

function httpPort(
  service: ComposeService,
  callers: readonly Reference[],
  wish: { readonly port: number | null } | null,
): Candidate | null {
  if (wish !== null && wish.port !== null) return { port: wish.port, reason: 'as --http says' };
  if (wish === null && service.image !== null && protocolOfImage(service.image) !== null) return null;
  const [first] = [
    ...byCallers(callers, 'http'),
    ...byHealthCheck(service),
    ...byVariable(service),
    ...byDeclaration(service, callers, wish !== null),
    ...(wish === null ? [] : byCallers(callers, 'none')),
  ];
  return first ?? null;
}

/** Where it speaks anything at all: what its image is known for, what most callers name, what is declared first. */
function bytesPort(service: ComposeService, callers: readonly Reference[], known: readonly number[]): Candidate | null {
  const image = service.image === null ? null : protocolOfImage(service.image);
  const usual = image?.port ?? null;
  const named = [...byCallers(callers, 'other'), ...byCallers(callers, 'none')][0]?.port;
  const declared = [...singlePorts(service), ...service.expose][0];
  const port = usual ?? named ?? declared ?? known[0];
  if (port === undefined) return null;
  return { port, reason: `as bytes: ${whyBytes(service, callers, image?.protocol ?? null, port)}` };
}

function udpOf(known: readonly number[]): string | null {
  for (const port of known) {
    const datagrams = datagramsOfPort(port);
    if (datagrams !== null) return `port ${port}, by custom ${datagrams},`;
  }
  return null;
}

/** The port that most callers name, first. */
function byCallers(callers: readonly Reference[], protocol: Reference['protocol']): readonly Candidate[] {
  const counts = new Map<number, { readonly first: Reference; count: number }>();
  for (const reference of callers) {
    if (reference.protocol !== protocol || reference.port === null) continue;
    const found = counts.get(reference.port);
    if (found === undefined) counts.set(reference.port, { first: reference, count: 1 });
    else found.count++;
  }
  return [...counts]
    .toSorted(([, a], [, b]) => b.count - a.count)
    .map(([port, { first }]) => ({ port, reason: whereNamed(first) }));
}

function byHealthCheck(service: ComposeService): readonly Candidate[] {
  const found = HEALTH_URL.exec(service.healthWords);
  return found === null ? [] : [{ port: Number(found[1] ?? 80), reason: 'the URL of its health check' }];
}

function byVariable(service: ComposeService): readonly Candidate[] {
  return PORT_VARIABLES.flatMap((name) => {
    const entry = service.environment.find((each) => each.name === name);
    const port = Number(entry?.value ?? '');
    return entry !== undefined && port >= 1 && port <= 65_535
      ? [{ port, reason: `its variable ${name} (${entry.place})` }]
      : [];
  });
}

/** ports, then expose; without those that are known, or said by a caller, to be something else. */
function byDeclaration(service: ComposeService, callers: readonly Reference[], isHttp: boolean): readonly Candidate[] {
  const published = service.ports
    .filter(({ protocol }) => protocol === 'tcp')
    .flatMap(({ targets }) => (targets.length === 1 ? targets : []));
  const doubted = new Set(callers.map(({ port }) => port));
  return [
    ...published.map((port) => ({ port, reason: 'its first entry of ports' })),
    ...service.expose.map((port) => ({ port, reason: 'its first entry of expose' })),
  ].filter(({ port }) => isHttp || (protocolOfPort(port) === null && !doubted.has(port)));
}

function singlePorts(service: ComposeService): readonly number[] {
  const tcp = service.ports.filter(({ protocol, targets }) => protocol === 'tcp' && targets.length === 1);
  return tcp.flatMap(({ targets }) => targets);
}

function knownPorts(service: ComposeService, callers: readonly Reference[]): readonly number[] {
  const inRange = new Set(rangePorts(service, singlePorts(service)));
  const ports = [
    ...singlePorts(service),
    ...service.expose,
    ...byVariable(service).map(({ port }) => port),
    ...callers.flatMap(({ port }) => port ?? []),
  ];
  return [...new Set(ports)].filter((port) => !inRange.has(port)).toSorted((a, b) => a - b);
}

/** Of published ranges, without those that are carried. */
function rangePorts(service: ComposeService, carried: readonly number[]): readonly number[] {
  const ranges = service.ports.filter(({ protocol, targets }) => protocol === 'tcp' && targets.length > 1);
  return [...new Set(ranges.flatMap(({ targets }) => targets))]
    .filter((port) => !carried.includes(port))
    .toSorted((a, b) => a - b);
}

function whyBytes(service: ComposeService, callers: readonly Reference[], image: string | null, port: number): string {
  if (image !== null) return `its image is known to speak ${image}`;
  const other = callers.find(({ protocol }) => protocol === 'other');
  if (other !== undefined) return `called by ${other.scheme}:// in ${whereNamed(other)}`;
  const custom = protocolOfPort(port);
  if (custom !== null) return `port ${port} is by custom ${custom}`;
  const bare = callers.find(({ protocol }) => protocol === 'none');
  const said = bare === undefined ? '' : `, it is named without a scheme in ${whereNamed(bare)}`;
  return `nothing says that it speaks HTTP${said}; if it does: --http ${service.name}`;
}

function nameOf({ variable, from }: Reference): string {
  return variable === '' ? `the command of ${from}` : `${variable} of ${from}`;
}

function whereNamed(reference: Reference): string {
  return reference.variable === '' ? nameOf(reference) : `${nameOf(reference)} (${reference.place})`;
}

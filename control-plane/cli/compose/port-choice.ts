// Which port of a service is the one that speaks HTTP, or why none is known to.
import { protocolOfImage, protocolOfPort } from './protocols.ts';
import type { ComposeService } from './project.ts';
import type { Reference } from './references.ts';

export type Choice =
  | {
      readonly kind: 'member';
      /** null: a job, no port is known. */
      readonly port: number | null;
      readonly reason: string;
      /** Known ports that are not this one. */
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
  const image = wish === null && service.image !== null ? protocolOfImage(service.image) : null;
  if (image !== null) return { kind: 'outside', reason: `its image is known to speak ${image}: ${ONLY_HTTP}` };
  const candidates = [
    ...byCallers(callers, 'http'),
    ...byHealthCheck(service),
    ...byVariable(service),
    ...byDeclaration(service, callers, wish !== null),
    ...(wish === null ? [] : byCallers(callers, 'none')),
  ];
  const chosen = wish !== null && wish.port !== null ? { port: wish.port, reason: 'as --http says' } : candidates[0];
  const known = knownPorts(service, callers);
  if (chosen !== undefined) {
    return { kind: 'member', ...chosen, others: known.filter((port) => port !== chosen.port) };
  }
  if (known.length > 0) return { kind: 'outside', reason: whyNotHttp(service, callers, known) };
  return {
    kind: 'member',
    port: null,
    reason: `no known port: a job, it only calls; if it listens: --http ${service.name}:PORT`,
    others: [],
  };
}

const ONLY_HTTP = 'Weft carries HTTP only so far';

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

function knownPorts(service: ComposeService, callers: readonly Reference[]): readonly number[] {
  const ports = [
    ...service.ports.filter(({ protocol }) => protocol === 'tcp').flatMap(({ targets }) => targets),
    ...service.expose,
    ...byVariable(service).map(({ port }) => port),
    ...callers.flatMap(({ port }) => port ?? []),
  ];
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

function whyNotHttp(service: ComposeService, callers: readonly Reference[], known: readonly number[]): string {
  const other = callers.find(({ protocol }) => protocol === 'other');
  if (other !== undefined) return `called by ${other.scheme}:// in ${whereNamed(other)}: ${ONLY_HTTP}`;
  const custom = known.map((port) => [port, protocolOfPort(port)] as const).find(([, protocol]) => protocol !== null);
  if (custom !== undefined) return `port ${custom[0]} is by custom ${custom[1]}: ${ONLY_HTTP}`;
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

// What becomes of each service of a compose project: in the mesh with its ports, in it as a job, beside another
// service in its namespace, or outside as before. Everything here is a guess with its reason.
import { nearestName } from '../../../core/config/nearest.ts';
import { err, ok, type Result } from '../../../core/kit/result.ts';
import { callsOf, type Call, type Rewrite, type Target } from './calls.ts';
import { meshNames } from './mesh-names.ts';
import { featureNotes } from './features.ts';
import type { Note } from './note.ts';
import { choosePort, type Choice } from './port-choice.ts';
import type { PortEntry } from './ports.ts';
import type { ComposeProject, ComposeService } from './project.ts';
import { namesOfServices, referencesOf, type Reference } from './references.ts';

/** What the user knows better, by option. */
export interface Wishes {
  /** Service → its HTTP port; null: whichever it has. */
  readonly http: ReadonlyMap<string, number | null>;
  readonly outside: ReadonlySet<string>;
}

export interface Plan {
  readonly project: ComposeProject;
  readonly members: readonly Member[];
  readonly guests: readonly Guest[];
  readonly outside: readonly Outside[];
  readonly notes: readonly Note[];
}

/** A service in the mesh. */
export interface Member {
  readonly service: ComposeService;
  /** Its name in weft.yaml: a DNS label. */
  readonly name: string;
  /** The main port; null: a job. */
  readonly port: number | null;
  /** tcp: it is carried as bytes. */
  readonly protocol: 'http' | 'tcp';
  readonly portReason: string;
  /** Further ports, carried as bytes, by their names in weft.yaml. */
  readonly further: readonly FurtherPort[];
  /** Known ports that are not carried: those of published ranges. */
  readonly otherPorts: readonly number[];
  readonly calls: readonly Call[];
  /** Variables that name an uncarried port of a service: they get its pod's name. */
  readonly rewrites: readonly Rewrite[];
  /** Published ports of carried ports: an edge serves them. */
  readonly edgePorts: readonly PortEntry[];
  readonly podPorts: readonly PortEntry[];
  /** Names by which others reach it, its own first. */
  readonly names: readonly string[];
}

export interface FurtherPort {
  readonly name: string;
  readonly port: number;
}

/** A service that already shares the namespace of another, which is in the mesh. */
export interface Guest {
  readonly service: ComposeService;
  readonly host: string;
}

export interface Outside {
  readonly service: ComposeService;
  readonly reason: string;
}

/** Errors are sentences about the options. */
export function planProject(project: ComposeProject, wishes: Wishes): Result<Plan, readonly string[]> {
  const wrong = checkWishes(project, wishes);
  if (wrong.length > 0) return err(wrong);
  const references = allReferences(project);
  const choices = new Map(
    project.services.map((service) => [service.name, choose(service, project, references, wishes)] as const),
  );
  const names = meshNames(project.services.map(({ name }) => name));
  const reached = namesOfServices(project.services);
  const notes: Note[] = [];
  const draft = project.services.flatMap((service): DraftMember[] => {
    const choice = choices.get(service.name);
    if (choice?.kind !== 'member') return [];
    const own = [...reached].filter(([alias, to]) => to === service.name && alias !== service.name);
    const list = [service.name, ...own.map(([alias]) => alias)];
    return [{ service, choice, name: names.get(service.name) ?? service.name, names: list }];
  });
  const guests = project.services.flatMap((service): Guest[] => {
    const host = ownerOf(service, project);
    return host !== null && choices.get(host)?.kind === 'member' ? [{ service, host }] : [];
  });
  const members = draft.map(({ service, choice, ...rest }): Member => {
    const own = {
      ...{ service, ...rest, port: choice.port, protocol: choice.protocol, portReason: choice.reason },
      further: choice.further.map((port) => ({ name: `p${port}`, port })),
      otherPorts: choice.others,
    };
    const speakers = [service, ...guests.filter(({ host }) => host === service.name).map((guest) => guest.service)];
    const calls = callsOf({ ...own, speakers }, draft.map(targetOf), references);
    notes.push(...calls.notes);
    return { ...own, calls: calls.calls, rewrites: calls.rewrites, ...splitPorts(service, portsOf(choice)) };
  });
  const outside = project.services.flatMap((service): Outside[] => {
    const choice = choices.get(service.name);
    return choice?.kind === 'outside' && !guests.some((guest) => guest.service === service)
      ? [{ service, reason: choice.reason }]
      : [];
  });
  return ok({
    project,
    members,
    guests,
    outside,
    notes: [...featureNotes(project, { members, guests, outside }, references), ...notes].toSorted(
      (a, b) => a.line - b.line,
    ),
  });
}

type MemberChoice = Extract<Choice, { kind: 'member' }>;

interface DraftMember {
  readonly service: ComposeService;
  readonly name: string;
  readonly names: readonly string[];
  readonly choice: MemberChoice;
}

function targetOf({ service, name, choice }: DraftMember): Target {
  return { service: service.name, name, ports: portsOf(choice) };
}

/** Those that are carried, the main one first. */
function portsOf({ port, further }: MemberChoice): readonly number[] {
  return port === null ? [] : [port, ...further];
}

function allReferences(project: ComposeProject): readonly Reference[] {
  const names = namesOfServices(project.services);
  return project.services.flatMap((service) => {
    const linked = service.links.filter(([to]) => names.has(to)).map(([to, as]) => [as, names.get(to) ?? to] as const);
    return referencesOf(service, new Map([...names, ...linked]));
  });
}

function choose(
  service: ComposeService,
  project: ComposeProject,
  references: readonly Reference[],
  wishes: Wishes,
): Choice {
  const reason = wishes.outside.has(service.name) ? 'as --outside says' : cannotJoin(service, project);
  if (reason !== null) return { kind: 'outside', reason };
  const wish = wishes.http.get(service.name);
  const callers = references.filter(({ to }) => to === service.name);
  return choosePort(service, callers, wish === undefined ? null : { port: wish });
}

/** Why a service cannot have a pod whatever it speaks; null: it can. */
function cannotJoin(service: ComposeService, project: ComposeProject): string | null {
  const { networkMode, raw } = service;
  if (raw['extends'] !== undefined) {
    return 'extends: what it takes from there is not read here; `docker compose config > all.yml` writes it out';
  }
  const host = sharedWith(service);
  if (host !== null && project.services.some(({ name }) => name === host)) return `it shares the namespace of ${host}`;
  if (networkMode === null) return null;
  if (networkMode === 'host') return 'network_mode: host: it has no network namespace of its own to put a sidecar into';
  if (networkMode === 'none') return 'network_mode: none: it has no network';
  return `network_mode: ${networkMode}: its network is not of this project`;
}

function sharedWith(service: ComposeService): string | null {
  const { networkMode } = service;
  return networkMode !== null && networkMode.startsWith('service:') ? networkMode.slice('service:'.length) : null;
}

/** Whose namespace it is, where one shares with another that shares; null: its own, or a circle. */
function ownerOf(service: ComposeService, project: ComposeProject): string | null {
  let owner = sharedWith(service);
  for (let hops = 0; owner !== null && hops < project.services.length; hops++) {
    const next = project.services.find(({ name }) => name === owner);
    const further = next === undefined ? null : sharedWith(next);
    if (further === null) return owner;
    owner = further;
  }
  return null;
}

function splitPorts(service: ComposeService, ports: readonly number[]): Pick<Member, 'edgePorts' | 'podPorts'> {
  const carried = (entry: PortEntry): boolean =>
    entry.protocol === 'tcp' && entry.targets.length === 1 && ports.includes(entry.targets[0] ?? 0);
  return {
    edgePorts: service.ports.filter((entry) => carried(entry)),
    podPorts: service.ports.filter((entry) => !carried(entry)),
  };
}

function checkWishes(project: ComposeProject, wishes: Wishes): readonly string[] {
  const names = project.services.map(({ name }) => name);
  return [...wishes.http.keys(), ...wishes.outside].flatMap((name) => {
    if (names.includes(name))
      return wishes.http.has(name) && wishes.outside.has(name) ? [`${name}: --http and --outside`] : [];
    const near = nearestName(name, names);
    return [`there is no service ${name} in ${project.source.file}${near === null ? '' : `, did you mean ${near}?`}`];
  });
}

// Keys of a compose file that a pod changes or cannot have: a line for each.
import type { Note } from './note.ts';
import type { ComposeProject, ComposeService } from './project.ts';
import { carriedPorts } from './carried-ports.ts';
import type { Guest, Member, Outside } from './plan.ts';
import { protocolOfPort } from './protocols.ts';
import type { Reference } from './references.ts';
import { entriesOf, isMapping, listOf, textOf } from './source.ts';
import { MOST_REPLICAS } from './workloads.ts';

interface Parts {
  readonly members: readonly Member[];
  readonly guests: readonly Guest[];
  readonly outside: readonly Outside[];
}

export function featureNotes(
  project: ComposeProject,
  { members, guests, outside }: Parts,
  references: readonly Reference[],
): readonly Note[] {
  return [
    ...projectNotes(project),
    ...outside.flatMap((each) => outsideNotes(each, members, references)),
    ...guests.map(({ service, host }) => {
      const text = `it shares the namespace of ${host}: it joins ${host}'s pod and calls with ${host}'s identity`;
      return note('changed', service, text);
    }),
    ...members.flatMap((member) => memberNotes(member, references)),
    ...members.flatMap(({ service }) => {
      return serviceNotes(
        service,
        members.map((member) => member.service),
      );
    }),
  ];
}

function projectNotes({ includes, source, services }: ComposeProject): readonly Note[] {
  const notes: Note[] = includes.map((file) => ({
    kind: 'cannot',
    service: '',
    line: source.lineOf(['include']),
    text: `include: ${file} is not read; \`docker compose config > all.yml\` writes all into one file for \`weft compose all.yml\``,
  }));
  const owners = new Map<string, string>();
  for (const { name, aliases, line } of services) {
    for (const alias of aliases) {
      const owner = owners.get(alias);
      if (owner !== undefined && owner !== name) {
        const text = `${owner} has the alias ${alias} too: a name of two services leads past the mesh, call them by their own`;
        notes.push({ kind: 'cannot', service: name, line, text });
      }
      owners.set(alias, name);
    }
  }
  return notes;
}

function outsideNotes(
  { service, reason }: Outside,
  members: readonly Member[],
  references: readonly Reference[],
): readonly Note[] {
  const notes = [note('cannot', service, `stays outside the mesh, as it was: ${reason}`)];
  for (const member of members) {
    const { service: callee } = member;
    const carried = carriedPorts(member);
    const call = references.find(
      ({ from, to, port: at }) => from === service.name && to === callee.name && at !== null && carried.includes(at),
    );
    if (call === undefined) continue;
    const text = `calls ${callee.name} (${call.place}), which takes calls from the mesh alone: they will not get through`;
    notes.push(note('cannot', service, text));
  }
  return notes;
}

function memberNotes(member: Member, references: readonly Reference[]): readonly Note[] {
  const { service, port, further, otherPorts, portReason } = member;
  if (port === null) return [note('changed', service, portReason)];
  const notes: Note[] = [];
  for (const each of further) {
    const text = `port ${each.port} is carried as bytes, under the name ${each.name}`;
    notes.push(note('changed', service, text));
  }
  for (const own of [...carriedPorts(member), ...otherPorts].filter((each) => SIDECAR_PORTS.includes(each))) {
    notes.push(note('cannot', service, `port ${own} is one that its sidecar listens on: the app has to leave it`));
  }
  for (const other of otherPorts.slice(0, SHOWN_PORTS)) {
    const protocol = protocolOfPort(other);
    const caller = references.find(({ to, port: at }) => to === service.name && at === other);
    const who = caller === undefined ? '' : `, ${caller.from} calls it there (${caller.place})`;
    const custom = protocol === null ? '' : `, by custom ${protocol}`;
    const text = `port ${other} is in a published range: it is not carried and stays as it was${custom}${who}`;
    notes.push(note('cannot', service, text));
  }
  for (const { targets, protocol } of member.podPorts) {
    const carried = targets.length > 1 && protocol === 'tcp' ? carriedPorts(member) : [];
    for (const own of carried.filter((each) => targets.includes(each))) {
      const text = `its published range ${targets[0]}-${targets.at(-1)} has port ${own} in it, which the outside cannot reach any more: publish ${own} on a line of its own`;
      notes.push(note('cannot', service, text));
    }
  }
  for (const entry of service.ports.filter(({ targets }) => targets.length === 0)) {
    notes.push(
      note('cannot', service, `the port ${JSON.stringify(entry.raw)} cannot be read; it goes to the pod as it is`),
    );
  }
  if (member.edgePorts.length > 0) {
    const text = `published port ${member.edgePorts.map(({ published }) => published ?? 'of the engine').join(', ')} moves to an edge, which calls it over mutual TLS`;
    notes.push(note('changed', service, text));
  }
  const readable = member.podPorts.filter(({ targets }) => targets.length > 0);
  if (readable.length > 0) {
    const list = readable.map(({ targets, protocol }) => `${targets.join(', ')}/${protocol}`).join(', ');
    notes.push(note('changed', service, `published ports to ${list} move to its pod`));
  }
  return notes;
}

const SHOWN_PORTS = 10;

/** By Host, from the mesh, status. */
const SIDECAR_PORTS = [15_001, 15_006, 15_020];

const SWARM_KEYS = ['mode', 'placement', 'update_config', 'rollback_config', 'endpoint_mode'];

function serviceNotes(service: ComposeService, services: readonly ComposeService[]): readonly Note[] {
  const { raw } = service;
  const notes: Note[] = [];
  if (service.replicas > 1) {
    const last = `${service.name}-${Math.min(service.replicas, MOST_REPLICAS)}`;
    const text = `its ${service.replicas} replicas become services of their own up to ${last}, each with its pod`;
    notes.push(note(service.replicas > MOST_REPLICAS ? 'cannot' : 'changed', service, text));
  }
  const swarm = SWARM_KEYS.filter((key) => isMapping(raw['deploy']) && raw['deploy'][key] !== undefined);
  if (swarm.length > 0) {
    const keys = swarm.map((key) => `deploy.${key}`).join(', ');
    const text = `${keys}: for Swarm, which cannot share a namespace; docker compose ignores it, so nothing changes there`;
    notes.push(note('cannot', service, text));
  }
  const hostname = textOf(raw['hostname']);
  const namesake = services.find((each) => textOf(each.raw['hostname']) === hostname);
  if (hostname !== null && (service.replicas > 1 || namesake !== service)) {
    notes.push(
      note('cannot', service, `host name ${hostname}: one pod alone can have it, further ones keep their own`),
    );
  }
  for (const [to, as] of service.links) {
    if (to !== as) notes.push(note('changed', service, `its link ${to}:${as} becomes a name in its pod`));
  }
  for (const [network, attachment] of service.networks) {
    const fixed = textOf(attachment['ipv4_address']) ?? textOf(attachment['ipv6_address']);
    if (fixed === null) continue;
    const text = `its fixed address ${fixed} in ${network} goes to its pod: who calls that address instead of its name is refused`;
    notes.push(note('changed', service, text));
  }
  const profiles = listOf(raw['profiles']).flatMap((profile) => textOf(profile) ?? []);
  if (profiles.length > 0) {
    notes.push(note('changed', service, `its pod and sidecar are in its profiles: ${profiles.join(', ')}`));
  }
  if (
    raw['privileged'] === true ||
    listOf(raw['cap_add']).some((cap) => /^(CAP_)?(NET_ADMIN|ALL|SYS_ADMIN)$/.test(String(cap)))
  ) {
    const text =
      'it is privileged: it could take its own firewall away, and others could then reach it without mutual TLS';
    notes.push(note('cannot', service, text));
  }
  for (const [name] of entriesOf(raw['sysctls']).filter(([key]) => key.startsWith('net.'))) {
    notes.push(note('changed', service, `its sysctl ${name} goes to its pod`));
  }
  return notes;
}

function note(kind: Note['kind'], service: ComposeService, text: string): Note {
  return { kind, service: service.name, line: service.line, text };
}

// The plan → compose.weft.yml, an override file: what Weft adds to the project, and what changes in its services.
import { loopbackAddresses } from '../../../core/compile/loopback.ts';
import { edgeSockets, type EdgeSocket } from './edge-port.ts';
import { carriedPorts } from './carried-ports.ts';
import type { Guest, Member, Plan } from './plan.ts';
import { POD_KEYS, podOf, wayTo, type Way } from './pod.ts';
import type { PortEntry } from './ports.ts';
import { controlPlane, shared, type WeftOptions } from './weft-services.ts';
import {
  addedNames,
  edgesOf,
  instancesOf,
  MESH_NETWORK,
  OUTSIDE_NETWORK,
  podName,
  sidecarName,
  type EdgeWorkload,
  type Instance,
} from './workloads.ts';
import { anchors, block, indent, keyText, oneLine } from './yaml-text.ts';

export interface OverrideOptions extends WeftOptions {
  /** The compose file, seen from the override. */
  readonly base: string;
}

export function overrideYaml(plan: Plan, options: OverrideOptions): string {
  const { members, guests, project } = plan;
  const addresses = loopbackAddresses(members.map(({ name }) => name));
  const edges = edgesOf(plan);
  const workloads = [...members.flatMap((member) => instancesOf(member)), ...edges];
  const parts = [
    header(project.source.name),
    block(shared(options)),
    'services:',
    indent(block(controlPlane(workloads, options))),
    ...members.flatMap((member) => {
      const way = wayTo(member, members, addresses);
      return instancesOf(member).flatMap((instance) => instanceText(instance, way, members, options));
    }),
    ...guests.map((guest) => guestText(guest, members)),
    ...edges.map((edge) => edgeText(edge)),
    block({
      networks: { [MESH_NETWORK]: { internal: true }, ...(edges.length > 0 ? { [OUTSIDE_NETWORK]: {} } : {}) },
      volumes: Object.fromEntries(addedNames(plan).volumes.map((name) => [name, {}])),
    }),
  ];
  return anchors(`${parts.join('\n')}\n`);
}

function header(file: string): string {
  return [
    `# What Weft adds to ${file}; written by \`weft compose\`, not to be edited: correct weft.yaml instead.`,
    `#   docker compose -f ${file} -f compose.weft.yml up --wait`,
    '# Docker Compose 2.24.4 or newer: it knows the tag !reset.',
    '#',
    '# Each service in the mesh has a pod, which owns its network namespace, its networks and its names and guards its port;',
    '# the service and its sidecar join the pod. No file of the app is changed.',
  ].join('\n');
}

function instanceText(
  instance: Instance,
  way: Way,
  members: readonly Member[],
  { base }: OverrideOptions,
): readonly string[] {
  const { member, app, name, volume, isCopy } = instance;
  const { service, port, protocol, calls } = member;
  const about = [
    port === null ? 'a job' : `port ${carriedPorts(member).join(', ')}${protocol === 'tcp' ? ' as bytes' : ''}`,
    calls.length === 0 ? 'calls nobody' : `calls ${calls.map((call) => call.service).join(', ')}`,
  ];
  const sidecar = {
    '<<': '*weft-sidecar',
    ...profiles(member),
    command: ['sidecar', '--name', name, ...way.sidecarArguments],
    network_mode: `service:${podName(app)}`,
    volumes: [`${volume}:/var/lib/weft`, 'weft-pods:/run/weft:ro'],
  };
  return [
    indent(isCopy ? `\n# ${app}: a further replica of ${service.name}.` : `\n# ${app}: ${about.join(', ')}.`),
    indent(block({ [podName(app)]: { '<<': '*weft-pod', ...podOf(instance, way, members) } })),
    indent(block({ [sidecarName(app)]: sidecar })),
    indent(`${app}:`),
    indent(indent(appText(instance, base))),
  ];
}

function appText({ member, app, isCopy }: Instance, base: string): string {
  const { service, rewrites } = member;
  const own = rewrites.filter((rewrite) => rewrite.service === service.name);
  const lines = isCopy ? [block({ extends: { file: base, service: service.name } })] : [];
  lines.push(`network_mode: service:${podName(app)}`);
  for (const key of POD_KEYS) if (service.raw[key] !== undefined) lines.push(`${key}: !reset null`);
  if (own.length > 0) lines.push('environment:');
  for (const { variable, value, reason } of own) {
    lines.push(`  # ${oneLine(reason)}.`, `  ${keyText(variable)}: ${JSON.stringify(value)}`);
  }
  if (service.replicas > 1) {
    if (service.raw['scale'] !== undefined) lines.push('scale: 1');
    if (service.raw['deploy'] !== undefined) lines.push('deploy: { replicas: 1 }');
  }
  lines.push(block({ depends_on: { [sidecarName(app)]: { condition: 'service_healthy' } } }));
  return lines.join('\n');
}

function guestText({ service, host }: Guest, members: readonly Member[]): string {
  const member = members.find((each) => each.service.name === host);
  const own = (member?.rewrites ?? []).filter((rewrite) => rewrite.service === service.name);
  const guest = {
    network_mode: `service:${podName(host)}`,
    ...(own.length > 0 ? { environment: Object.fromEntries(own.map(({ variable, value }) => [variable, value])) } : {}),
    depends_on: { [sidecarName(host)]: { condition: 'service_healthy' } },
  };
  return indent(`\n# ${service.name} shares the namespace of ${host}.\n${block({ [service.name]: guest })}`);
}

function edgeText({ member, service, name, volume }: EdgeWorkload): string {
  const sockets = edgeSockets(member);
  const edge = {
    '<<': '*weft',
    ...profiles(member),
    command: ['edge', '--name', name],
    ports: member.edgePorts.map((entry) => edgePort(entry, sockets)),
    networks: [MESH_NETWORK, OUTSIDE_NETWORK],
    volumes: [`${volume}:/var/lib/weft`],
  };
  return indent(`\n# What ${member.service.name} published.\n${block({ [service]: edge })}`);
}

function edgePort(entry: PortEntry, sockets: readonly EdgeSocket[]): object {
  const [port] = entry.targets;
  return {
    target: sockets.find((socket) => socket.port === port)?.listen ?? port,
    ...(entry.published === null ? {} : { published: entry.published }),
    ...(entry.hostIp === null ? {} : { host_ip: entry.hostIp }),
  };
}

function profiles({ service }: Member): object {
  return service.raw['profiles'] === undefined ? {} : { profiles: service.raw['profiles'] };
}

// The plan → compose.weft.yml, an override file: what Weft adds to the project, and what changes in its services.
import { Document, isScalar, visit } from 'yaml';
import { loopbackAddresses } from '../../../core/compile/loopback.ts';
import { podName } from './calls.ts';
import { edgeListenPort } from './edge-port.ts';
import type { Guest, Member, Plan } from './plan.ts';
import { podOf, wayTo, type Way } from './pod.ts';
import type { PortEntry } from './ports.ts';

export interface OverrideOptions {
  readonly image: string;
  /** The image's target netns. */
  readonly podImage: string;
  /** Where weft.yaml lies, seen from the folder of the compose file, with `./` in front. */
  readonly config: string;
}

export const MESH_NETWORK = 'weft-mesh';
export const OUTSIDE_NETWORK = 'weft-outside';

/** Names of services and volumes that the override adds: none may be the user's own. */
export function addedNames(plan: Plan): { readonly services: readonly string[]; readonly volumes: readonly string[] } {
  const instances = instancesOf(plan);
  return {
    services: [
      'weft-init',
      'weft-control-plane',
      ...plan.members.flatMap(({ service }) => [podName(service.name), sidecarName(service.name)]),
      ...edgesOf(plan).map(({ service }) => edgeName(service.name)),
    ],
    volumes: ['weft-control-plane', 'weft-pods', ...instances.map(({ volume }) => volume)],
  };
}

export function overrideYaml(plan: Plan, options: OverrideOptions): string {
  const { members, guests, project } = plan;
  const addresses = loopbackAddresses(members.map(({ name }) => name));
  const parts = [
    header(project.source.name),
    block(shared(options)),
    'services:',
    indent(block(controlPlane(plan, options))),
    ...members.flatMap((member) => memberText(member, wayTo(member, members, addresses), members)),
    ...guests.map((guest) => guestText(guest, members)),
    ...edgesOf(plan).map((member) => edgeText(member)),
    block({
      networks: { [MESH_NETWORK]: { internal: true }, ...(edgesOf(plan).length > 0 ? { [OUTSIDE_NETWORK]: {} } : {}) },
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

function shared({ image, podImage }: OverrideOptions): object {
  const common = {
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    restart: 'unless-stopped',
  };
  return {
    'x-weft': {
      '&': 'weft',
      image,
      ...common,
      environment: { WEFT_CONTROL_PLANE: 'weft-control-plane:15012', WEFT_TOKEN_FILE: '/var/lib/weft/token' },
      depends_on: { 'weft-init': { condition: 'service_completed_successfully' } },
    },
    'x-weft-sidecar': {
      '&': 'weft-sidecar',
      '<<': '*weft',
      environment: {
        WEFT_CONTROL_PLANE: 'weft-control-plane:15012',
        WEFT_TOKEN_FILE: '/var/lib/weft/token',
        WEFT_PODS: '/run/weft',
      },
    },
    'x-weft-pod': {
      '&': 'weft-pod',
      image: podImage,
      init: true,
      ...common,
      // Given up once the rules are set.
      cap_add: ['NET_ADMIN', 'SETUID', 'SETGID'],
      volumes: ['weft-pods:/run/weft'],
    },
  };
}

function controlPlane(plan: Plan, { config }: OverrideOptions): object {
  const instances = instancesOf(plan);
  const folders = [`${config}:/etc/weft/weft.yaml:ro`, 'weft-control-plane:/var/lib/weft'];
  return {
    'weft-init': {
      '<<': '*weft',
      user: '0:0',
      // A new volume is handed to uid 15001, then all are given up.
      cap_add: ['CHOWN', 'SETUID', 'SETGID'],
      restart: 'no',
      depends_on: {},
      network_mode: 'none',
      healthcheck: { disable: true },
      command: [
        'compose-init',
        '--config=/etc/weft/weft.yaml',
        '--ca-dir=/var/lib/weft/ca',
        '--dir=/var/lib/weft',
        ...instances.map(({ name, target }) => `${name}=${target}`),
      ],
      volumes: [...folders, ...instances.map(({ name, volume }) => `${volume}:/instances/${name}`)],
    },
    'weft-control-plane': {
      '<<': '*weft',
      command: ['control-plane', '/etc/weft/weft.yaml'],
      networks: [MESH_NETWORK],
      volumes: folders,
    },
  };
}

function memberText(member: Member, way: Way, members: readonly Member[]): readonly string[] {
  const { service, port, calls } = member;
  const { name } = service;
  const about = [
    port === null ? 'a job' : `port ${port}`,
    calls.length === 0 ? 'calls nobody' : `calls ${calls.map((call) => call.service).join(', ')}`,
  ];
  return [
    indent(`\n# ${name}: ${about.join(', ')}.`),
    indent(block({ [podName(name)]: { '<<': '*weft-pod', ...podOf(member, way, members) } })),
    indent(
      block({
        [sidecarName(name)]: {
          '<<': '*weft-sidecar',
          ...profiles(member),
          command: ['sidecar', '--name', member.name, ...way.sidecarArguments],
          network_mode: `service:${podName(name)}`,
          volumes: [`${volumeOf(member)}:/var/lib/weft`, 'weft-pods:/run/weft:ro'],
        },
      }),
    ),
    indent(`${name}:`),
    indent(indent(appText(member))),
  ];
}

/** Keys that belong to whoever owns the namespace: Docker refuses them beside network_mode: service:…. */
const POD_KEYS = ['networks', 'ports', 'expose', 'links', 'hostname', 'domainname', 'dns', 'dns_search', 'dns_opt'];
const MORE_POD_KEYS = ['extra_hosts', 'mac_address', 'external_links'];

function appText(member: Member): string {
  const { service, rewrites } = member;
  const own = rewrites.filter((rewrite) => rewrite.service === service.name);
  const lines = [`network_mode: service:${podName(service.name)}`];
  for (const key of [...POD_KEYS, ...MORE_POD_KEYS])
    if (service.raw[key] !== undefined) lines.push(`${key}: !reset null`);
  if (own.length > 0) {
    lines.push('environment:');
    for (const { variable, value, reason } of own)
      lines.push(`  # ${reason}.`, `  ${variable}: ${JSON.stringify(value)}`);
  }
  if (service.replicas > 1) {
    const key = service.raw['scale'] === undefined ? 'deploy: { replicas: 1 }' : 'scale: 1';
    lines.push(`# One pod is one instance.`, key);
  }
  lines.push(block({ depends_on: { [sidecarName(service.name)]: { condition: 'service_healthy' } } }));
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

function edgeText(member: Member): string {
  const { name } = member.service;
  const edge = {
    '<<': '*weft',
    ...profiles(member),
    command: ['edge', '--name', `edge-${member.name}`],
    ports: member.edgePorts.map((entry) => edgePort(entry, member.port ?? 0)),
    networks: [MESH_NETWORK, OUTSIDE_NETWORK],
    volumes: [`${edgeVolumeOf(member)}:/var/lib/weft`],
  };
  return indent(`\n# The published port of ${name}.\n${block({ [edgeName(name)]: edge })}`);
}

function edgePort(entry: PortEntry, port: number): object {
  return {
    target: edgeListenPort(port),
    ...(entry.published === null ? {} : { published: entry.published }),
    ...(entry.hostIp === null ? {} : { host_ip: entry.hostIp }),
  };
}

interface Instance {
  readonly name: string;
  /** As compose-init takes it. */
  readonly target: string;
  readonly volume: string;
}

function instancesOf(plan: Plan): readonly Instance[] {
  return [
    ...plan.members.map((member) => ({ name: member.name, target: member.name, volume: volumeOf(member) })),
    ...edgesOf(plan).map((member) => ({
      name: `edge-${member.name}`,
      target: `edge:${member.name}`,
      volume: edgeVolumeOf(member),
    })),
  ];
}

function edgesOf({ members }: Plan): readonly Member[] {
  return members.filter(({ port, edgePorts }) => port !== null && edgePorts.length > 0);
}

export function sidecarName(service: string): string {
  return `${service}-sidecar`;
}

function edgeName(service: string): string {
  return `${service}-edge`;
}

function volumeOf({ name }: Member): string {
  return `weft-state-${name}`;
}

function edgeVolumeOf({ name }: Member): string {
  return `weft-state-edge-${name}`;
}

function profiles({ service }: Member): object {
  return service.raw['profiles'] === undefined ? {} : { profiles: service.raw['profiles'] };
}

/** Longer lists stand one entry to a line. */
const LONGEST_FLOW = 90;

function block(value: object): string {
  const document = new Document(value, { version: '1.1', aliasDuplicateObjects: false });
  visit(document, {
    Seq(_, list) {
      const texts = list.items.map((item) => (isScalar(item) ? String(item.value) : null));
      list.flow = texts.every((text) => text !== null) && texts.join(', ').length <= LONGEST_FLOW;
    },
    Map(_, map) {
      // An attachment with its one alias, a network without settings.
      if (map.items.length === 0) map.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

/** `'&': name` as a first key and `<<: "*name"` become an anchor and its use: the library writes neither beside plain data. */
function anchors(text: string): string {
  return text
    .replaceAll(/^(\s*[\w-]+):\n\s+"&": (\S+)$/gm, '$1: &$2')
    .replaceAll(/^(\s*)"?<<"?: "(\*[\w-]+)"$/gm, '$1<<: $2');
}

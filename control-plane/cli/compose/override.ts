// The plan → compose.weft.yml, an override file: what Weft adds to the project, and what changes in its services.
import { stringify } from 'yaml';
import { loopbackAddresses } from '../../../core/compile/loopback.ts';
import { podName } from './calls.ts';
import { edgeListenPort } from './edge-port.ts';
import type { Guest, Member, Plan } from './plan.ts';
import { podOf, wayTo, type Way } from './pod.ts';
import type { PortEntry } from './ports.ts';

export interface OverrideOptions {
  /** Name and tag of Weft's image; pods run `<image>-netns`. */
  readonly image: string;
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
    header(project.source.file),
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

function shared({ image }: OverrideOptions): object {
  return {
    'x-weft': {
      '&': 'weft',
      image,
      restart: 'unless-stopped',
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    },
    'x-weft-pod': {
      '&': 'weft-pod',
      '<<': '*weft',
      image: `${image}-netns`,
      user: 'root',
      cap_add: ['NET_ADMIN', 'SETUID', 'SETGID'],
    },
  };
}

function controlPlane(plan: Plan, { config }: OverrideOptions): object {
  const instances = instancesOf(plan);
  const settings = [`${config}:/etc/weft/weft.yaml:ro`, 'weft-control-plane:/var/lib/weft'];
  const folders = ['--ca-dir', '/var/lib/weft/ca'];
  return {
    'weft-init': {
      '<<': '*weft',
      restart: 'no',
      network_mode: 'none',
      command: [
        'compose-init',
        '--config',
        '/etc/weft/weft.yaml',
        ...folders,
        '--dir',
        '/var/lib/weft/control-plane',
        ...instances.map(({ name, target }) => `${name}=${target}`),
      ],
      volumes: [...settings, ...instances.map(({ name, volume }) => `${volume}:/instances/${name}`)],
    },
    'weft-control-plane': {
      '<<': '*weft',
      command: ['control-plane', '/etc/weft/weft.yaml', ...folders, '--state-dir', '/var/lib/weft/control-plane'],
      networks: [MESH_NETWORK],
      volumes: settings,
      depends_on: { 'weft-init': { condition: 'service_completed_successfully' } },
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
          '<<': '*weft',
          ...profiles(member),
          command: ['sidecar', ...way.sidecarArguments],
          network_mode: `service:${podName(name)}`,
          environment: {
            WEFT_NAME: name,
            WEFT_CONTROL_PLANE: 'weft-control-plane:15012',
            WEFT_TOKEN_FILE: '/var/lib/weft/token',
            WEFT_STATE_DIR: '/var/lib/weft',
          },
          volumes: [`${volumeOf(member)}:/var/lib/weft`, 'weft-pods:/run/weft:ro'],
          depends_on: {
            [podName(name)]: { condition: 'service_healthy', restart: true },
            'weft-control-plane': { condition: 'service_healthy' },
          },
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
    command: ['edge'],
    environment: {
      WEFT_NAME: `edge-${member.name}`,
      WEFT_CONTROL_PLANE: 'weft-control-plane:15012',
      WEFT_TOKEN_FILE: '/var/lib/weft/token',
      WEFT_STATE_DIR: '/var/lib/weft',
    },
    ports: member.edgePorts.map((entry) => edgePort(entry, member.port ?? 0)),
    networks: [MESH_NETWORK, OUTSIDE_NETWORK],
    volumes: [`${edgeVolumeOf(member)}:/var/lib/weft`],
    depends_on: {
      'weft-control-plane': { condition: 'service_healthy' },
      [sidecarName(name)]: { condition: 'service_healthy' },
    },
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

function block(value: object): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, defaultStringType: 'PLAIN' }).trimEnd();
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

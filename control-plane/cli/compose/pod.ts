// The pod of a service: the networks, names and ports that the service had, and how calls of its app get to the
// sidecar.
import { carriedPorts } from './carried-ports.ts';
import type { Member } from './plan.ts';
import { textOf } from './source.ts';
import { directName, MESH_NETWORK, type Instance } from './workloads.ts';

/** How the app of one service reaches others. */
export interface Way {
  /** `payments:127.15.3.7` */
  readonly hosts: readonly string[];
  /** For the pod's rules: `127.15.3.7:8080=127.0.0.1:15101`. */
  readonly redirects: readonly string[];
  readonly sidecarArguments: readonly string[];
}

const FIRST_PORT = 15_101;

/**
 * Every service has its name here, called or not: a call that weft.yaml comes to list works without a new override.
 * Except for one that has further ports: they would be behind the name too, so it must be called.
 */
export function wayTo(caller: Member, members: readonly Member[], addresses: ReadonlyMap<string, string>): Way {
  const callees = members.filter(
    (member) =>
      member !== caller && member.port !== null && (isCalled(caller, member) || member.otherPorts.length === 0),
  );
  // The sidecar leaves its own service's ports alone. Of others that the app listens on it knows nothing: then it serves
  // no name itself, and all are redirected to ports of its own.
  const clash = callees.some((callee) => carriedPorts(callee).some((port) => caller.otherPorts.includes(port)));
  const own = carriedPorts(caller);
  const places = callees
    .flatMap((member) => placesOf(member).map((place) => ({ member, ...place })))
    .filter(({ port }) => clash || own.includes(port))
    .map(({ member, port, name }, index) => ({
      from: `${addresses.get(member.name)}:${port}`,
      to: `127.0.0.1:${FIRST_PORT + index}`,
      name,
    }));
  return {
    hosts: callees.flatMap((member) => {
      const linked = caller.service.links
        .filter(([to, as]) => to === member.service.name && as !== to)
        .map(([, as]) => as);
      return [...member.names, ...linked].map((name) => `${name}:${addresses.get(member.name)}`);
    }),
    redirects: places.map(({ from, to }) => `${from}=${to}`),
    sidecarArguments: [
      ...(clash ? ['--names', 'off'] : []),
      ...places.flatMap(({ name, to }) => ['--outbound', `${name}=${to}`]),
    ],
  };
}

/** Under which names its ports are called. */
function placesOf(member: Member): readonly { readonly port: number; readonly name: string }[] {
  const further = member.further.map(({ name, port }) => ({ port, name: `${member.name}:${name}` }));
  return member.port === null ? [] : [{ port: member.port, name: member.name }, ...further];
}

function isCalled(caller: Member, callee: Member): boolean {
  return caller.calls.some(({ to }) => to === callee.name);
}

/** Keys that belong to whoever owns the namespace: Docker refuses them beside network_mode: service:…. */
export const POD_KEYS = [
  ...['networks', 'ports', 'expose', 'links', 'external_links', 'extra_hosts', 'mac_address'],
  ...['hostname', 'domainname', 'dns', 'dns_search', 'dns_opt'],
] as const;

/** What goes on to the pod as it was. */
const MOVED = ['hostname', 'domainname', 'dns', 'dns_search', 'dns_opt', 'mac_address', 'external_links', 'profiles'];

/** The keys of the pod beside those that all pods have. */
export function podOf(instance: Instance, way: Way, members: readonly Member[]): object {
  const { member, app } = instance;
  const meshName = `weft-mesh-${app}`;
  const { service, podPorts } = member;
  const { raw } = service;
  const moved = MOVED.filter((key) => key !== 'hostname' || ownsHostname(instance, members));
  const netSysctls = sysctlsOf(raw['sysctls']);
  return {
    ...Object.fromEntries(moved.filter((key) => raw[key] !== undefined).map((key) => [key, raw[key]])),
    ...(netSysctls.length > 0 ? { sysctls: netSysctls } : {}),
    command: [
      'pod',
      ...carriedPorts(member).flatMap((port) => ['--app-port', String(port)]),
      '--mesh-name',
      meshName,
      ...way.redirects.flatMap((redirect) => ['--redirect', redirect]),
    ],
    networks: networksOf(member, meshName),
    ...withEntries('extra_hosts', [...ownHosts(member), ...way.hosts]),
    ...withEntries('links', linksOf(member, members)),
    ...withEntries(
      'ports',
      podPorts.map((entry) => entry.raw),
    ),
  };
}

/** A pod announces its namespace under its host name: of two with one name, the first keeps it. */
function ownsHostname({ member, isCopy }: Instance, members: readonly Member[]): boolean {
  const hostname = member.service.raw['hostname'];
  return !isCopy && members.find(({ service }) => service.raw['hostname'] === hostname) === member;
}

function withEntries(key: string, list: readonly unknown[]): object {
  return list.length === 0 ? {} : { [key]: list };
}

function networksOf({ service, otherPorts }: Member, meshName: string): object {
  const networks: Record<string, object> = {};
  for (const [network, attachment] of service.networks) {
    const aliases = Array.isArray(attachment['aliases']) ? attachment['aliases'] : [];
    // Aliases of other networks stay where they were.
    const container = textOf(service.raw['container_name']);
    const direct = otherPorts.length > 0 ? [directName(service.name)] : [];
    const all = [service.name, ...direct, ...(container === null ? [] : [container]), ...aliases];
    networks[network] = { ...attachment, aliases: [...new Set(all)] };
  }
  return { ...networks, [MESH_NETWORK]: { aliases: [meshName] } };
}

/** The user's own come first: whoever looks a name up takes the first. */
function ownHosts({ service }: Member): readonly string[] {
  const hosts = service.raw['extra_hosts'];
  if (Array.isArray(hosts)) return hosts.flatMap((entry) => textOf(entry) ?? []);
  return Object.entries(hosts ?? {}).flatMap(([name, address]) => {
    const list = Array.isArray(address) ? address : [address];
    return list.map((each) => `${name}=${String(each)}`);
  });
}

/** Links into the mesh are names of the pod. */
function linksOf({ service }: Member, members: readonly Member[]): readonly string[] {
  return service.links
    .filter(([to]) => !members.some((member) => member.service.name === to))
    .map(([to, as]) => (to === as ? to : `${to}:${as}`));
}

function sysctlsOf(value: unknown): readonly string[] {
  const entries = Array.isArray(value)
    ? value.flatMap((entry) => textOf(entry) ?? [])
    : Object.entries(value ?? {}).map(([key, text]) => `${key}=${String(text)}`);
  return entries.filter((entry) => entry.startsWith('net.'));
}

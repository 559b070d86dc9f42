// `port` with `protocol`, or `ports`: what a service listens on. And the keys that only make sense for TCP, or never
// for it.
import type { Protocol, ProxyProtocol, ServicePort, WorkloadService } from '../model/mesh.ts';
import { quote, type Path } from './problem.ts';
import type { Reader } from './reader.ts';
import type { ServiceFile } from './schema.ts';

type Ports = Pick<WorkloadService, 'port' | 'protocol' | 'portName' | 'ports'>;

/** A port of one of these names speaks the protocol of that name. */
const PROTOCOLS: readonly Protocol[] = ['http', 'http2', 'grpc', 'tcp'];

export function readPorts(reader: Reader, path: Path, file: ServiceFile): Ports {
  if (file.ports === undefined) {
    return { port: file.port ?? null, protocol: file.protocol ?? 'http', portName: '', ports: [] };
  }
  for (const key of ['port', 'protocol'] as const) {
    if (file[key] === undefined) continue;
    const hint = key === 'port' ? 'name it in ports' : 'each of ports has its own';
    reader.error([...path, key], `found ${key} and ports in one service, expected one of them`, hint, 'key');
  }
  const at = [...path, 'ports'];
  const ports = readNamedPorts(reader, at, file.ports);
  if (Object.keys(file.ports).length === 0) {
    reader.error(at, 'found an empty mapping, expected at least one port', 'leave ports out for a job');
  }
  const main = ports.find(({ name }) => name === 'http') ?? ports[0];
  if (main === undefined) return { port: null, protocol: 'http', portName: '', ports: [] };
  // Beyond the main one the order of keys means nothing.
  const further = ports.filter((port) => port !== main).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { port: main.port, protocol: main.protocol, portName: main.name, ports: further };
}

function readNamedPorts(reader: Reader, path: Path, files: NonNullable<ServiceFile['ports']>): readonly ServicePort[] {
  const ports: ServicePort[] = [];
  for (const [name, file] of Object.entries(files)) {
    const at = [...path, name];
    const own = PROTOCOLS.find((protocol) => protocol === name);
    const { port, protocol = own } = typeof file === 'number' ? { port: file } : file;
    if (/^\d+$/.test(name)) {
      reader.error(at, `found the name ${quote(name)}, expected one with a letter`, 'as in http or admin', 'key');
      continue;
    }
    if (protocol === undefined) {
      const hint = `write ${name}: { port: ${port}, protocol: http }`;
      reader.error(at, `the port ${quote(name)} has no protocol: its name is none`, hint);
      continue;
    }
    const other = ports.find((each) => each.port === port);
    if (other !== undefined) {
      reader.error(at, `port ${port} is that of ${quote(other.name)} already`, 'remove one of the two');
      continue;
    }
    ports.push({ name, port, protocol });
  }
  return ports;
}

/** `protocols`: of all ports of the service. null: connections begin without a PROXY header. */
export function readProxyProtocol(
  reader: Reader,
  path: Path,
  file: ServiceFile,
  protocols: readonly Protocol[],
): ProxyProtocol | null {
  const tcp = protocols.includes('tcp');
  if (file.proxyProtocol !== undefined && !tcp) {
    const message = 'proxyProtocol is for protocol: tcp, which this service does not speak';
    reader.error([...path, 'proxyProtocol'], message, 'HTTP has x-forwarded-for, which edges set', 'key');
  }
  if (tcp && protocols.every((protocol) => protocol === 'tcp')) checkTcpOnly(reader, path, file);
  return file.proxyProtocol ?? null;
}

/** What is about requests says nothing about connections. */
function checkTcpOnly(reader: Reader, path: Path, file: ServiceFile): void {
  const { timeout } = file;
  const isIdle = typeof timeout === 'object' && Object.keys(timeout).every((key) => key === 'idle');
  if (timeout !== undefined && !isIdle) {
    const message = 'timeout is for requests, and this service speaks tcp';
    reader.error([...path, 'timeout'], message, 'write timeout: { idle: 5m }', 'key');
  }
  (file.allow ?? []).forEach((rule, index) => {
    for (const key of ['methods', 'paths'] as const) {
      if (rule?.[key] === undefined) continue;
      const message = `found ${key}, but this service speaks tcp: who may connect is all there is to say`;
      reader.error([...path, 'allow', index, key], message, `remove ${key}`, 'key');
    }
  });
}

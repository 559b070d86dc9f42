// What routes and listeners lead to: `orders`, `orders@v2`, `orders:grpc`, or several of these with weights.
import { portNamed } from '../compile/ports.ts';
import type { Protocol, Service, WeightedTarget } from '../model/mesh.ts';
import type { Directory } from './directory.ts';
import { quote, type Path } from './problem.ts';
import type { Reader } from './reader.ts';
import { resolveTarget } from './references.ts';
import type { RouteFile } from './schema.ts';

type Target = Omit<WeightedTarget, 'weight'>;
type Carries = 'http' | 'tcp';

/** `carries`: what has to be spoken there. */
export function readTargets(
  reader: Reader,
  path: Path,
  file: RouteFile['to'],
  directory: Directory,
  carries: Carries,
): readonly WeightedTarget[] {
  if (typeof file === 'string') {
    const target = readTarget(reader, path, file, directory, 'value', carries);
    return target === null ? [] : [{ ...target, weight: 1 }];
  }
  const targets: WeightedTarget[] = [];
  // Sorted, because the order of keys means nothing and must not change the hash.
  for (const text of Object.keys(file).toSorted()) {
    const target = readTarget(reader, [...path, text], text, directory, 'key', carries);
    if (target !== null) targets.push({ ...target, weight: file[text] ?? 0 });
  }
  if (Object.values(file).every((weight) => weight === 0)) {
    reader.error(path, 'every weight is 0, expected at least one above 0', 'a target with weight 0 gets nothing');
  }
  return targets;
}

function readTarget(
  reader: Reader,
  path: Path,
  text: string,
  directory: Directory,
  part: 'key' | 'value',
  carries: Carries,
): Target | null {
  const { name, version, port } = splitTarget(text);
  const service = resolveTarget(reader, path, name, directory, part);
  if (service === null) return { service: name, version, port: port ?? '' };
  if (version !== null && !checkVersion(reader, path, text, service, version, part)) return null;
  const found = portNamed(service, port ?? '');
  if (port === '' || found === null) {
    const named = portNames(service);
    const hint =
      named.length === 0 ? `write ${text.slice(0, text.lastIndexOf(':'))}` : `there are: ${named.join(', ')}`;
    reader.error(path, `found ${quote(text)}, expected a port of ${quote(name)}`, hint, part);
    return null;
  }
  if ((found.protocol === 'tcp') !== (carries === 'tcp')) {
    reader.error(path, ...misfit(text, name, found.protocol), part);
    return null;
  }
  return { service: name, version, port: found.name };
}

function checkVersion(
  reader: Reader,
  path: Path,
  text: string,
  service: Service,
  version: string,
  part: 'key' | 'value',
): boolean {
  const { name } = service;
  const versions = service.kind === 'static' ? [] : service.versions.flatMap((each) => each.name ?? []);
  if (versions.includes(version)) return true;
  if (versions.length === 0) {
    reader.error(path, `found ${quote(text)}, but ${quote(name)} has no versions`, `write ${name}`, part);
  } else {
    const hint = `there are: ${versions.join(', ')}`;
    reader.error(path, `found ${quote(text)}, expected a version of ${quote(name)}`, hint, part);
  }
  return false;
}

function misfit(text: string, name: string, protocol: Protocol): [message: string, hint: string] {
  if (protocol === 'tcp') {
    const hint = `an HTTP route cannot lead there: a listener with protocol: tcp and to: ${text} can, or match: { sni: … }`;
    return [`found ${quote(text)}, but ${quote(name)} speaks tcp there`, hint];
  }
  const hint = `give services.${name} protocol: tcp, or use an HTTP route`;
  return [`found ${quote(text)}, but ${quote(name)} speaks ${protocol} there, and this leads on bytes`, hint];
}

/** `orders`, `orders@v2`, `orders:grpc`, `orders@v2:grpc`; port null where there is no colon. */
function splitTarget(text: string): {
  readonly name: string;
  readonly version: string | null;
  readonly port: string | null;
} {
  const colon = text.indexOf(':');
  const whole = colon === -1 ? text : text.slice(0, colon);
  const at = whole.indexOf('@');
  return {
    name: at === -1 ? whole : whole.slice(0, at),
    version: at === -1 ? null : whole.slice(at + 1),
    port: colon === -1 ? null : text.slice(colon + 1),
  };
}

function portNames(service: Service): readonly string[] {
  if (service.kind === 'static' || service.portName === '') return [];
  return [service.portName, ...service.ports.map(({ name }) => name)];
}

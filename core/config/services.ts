// The services section: one entry of the file → one Service of the model. Names of other services are
// checked afterwards, in references.ts, when all of them are known.
import type { AllowRule, HostPort, PathPattern, Service, ServiceVersion } from '../model/mesh.ts';
import { parseHostPort } from './address.ts';
import type { ServiceEntry } from './directory.ts';
import { readHealth } from './health.ts';
import { quote, type Path } from './problem.ts';
import type { Reader } from './reader.ts';
import { readMethods, readPattern } from './route-match.ts';
import { readPorts, readProxyProtocol } from './service-ports.ts';
import type { ServiceFile } from './schema.ts';
import { readTimeouts } from './timeouts.ts';

const RESERVED = ['weft-', 'edge-'];
const WORKLOAD_KEYS = ['port', 'ports', 'run', 'calls', 'allow', 'health', 'versions', 'instances', 'workers'] as const;

/** null: it is both a workload and a static service; what is wrong is reported. */
export function readService({ name, reader, file }: ServiceEntry): Service | null {
  const path: Path = ['services', name];
  const reserved = RESERVED.find((prefix) => name.startsWith(prefix));
  if (reserved !== undefined) {
    reader.error(
      path,
      `found ${quote(name)}, but names that begin with ${reserved} are reserved`,
      'choose another name',
      'key',
    );
  }
  const ports = readPorts(reader, path, file);
  const { protocol } = ports;
  if (file.balance !== undefined) reader.rule([...path, 'balance']);
  const { request, perTry, idle } = readTimeouts(reader, [...path, 'timeout'], file.timeout);
  const common = {
    name,
    protocol,
    proxyProtocol: readProxyProtocol(reader, path, file, [protocol, ...ports.ports.map((port) => port.protocol)]),
    balance: file.balance ?? 'least-request',
    timeout: request,
    perTryTimeout: perTry,
    idleTimeout: idle,
    ruleId: reader.rule(path),
  };
  if (file.endpoints !== undefined) {
    const endpoints = readEndpoints(reader, [...path, 'endpoints'], file.endpoints);
    const extra = WORKLOAD_KEYS.filter((key) => file[key] !== undefined);
    for (const key of extra) {
      const hint = 'a service with endpoints is outside the mesh: keep one of the two';
      reader.error([...path, key], `found ${key} and endpoints in one service, expected one of them`, hint, 'key');
    }
    return extra.length > 0 ? null : { ...common, kind: 'static', endpoints };
  }
  return {
    ...common,
    kind: 'workload',
    ...ports,
    run: file.run ?? null,
    calls: (file.calls ?? []).map((service, index) => ({ service, ruleId: reader.rule([...path, 'calls', index]) })),
    allow: readAllow(reader, [...path, 'allow'], file.allow),
    versions: readVersions(reader, path, file),
    workers: file.workers ?? 1,
    health: readHealth(reader, [...path, 'health'], file.health, ports),
  };
}

function readEndpoints(reader: Reader, path: Path, texts: readonly (string | undefined)[]): readonly HostPort[] {
  const seen = new Set<string>();
  const endpoints: HostPort[] = [];
  texts.forEach((text, index) => {
    if (text === undefined) return;
    const at = [...path, index];
    const endpoint = parseHostPort(text);
    if (endpoint === null) {
      const hint = text.includes('://') ? 'without the scheme' : 'for example 127.0.0.1:9000 or [::1]:9000';
      reader.error(at, `found ${quote(text)}, expected host:port`, hint);
      return;
    }
    const key = `${endpoint.host} ${endpoint.port}`;
    if (seen.has(key)) reader.error(at, `the endpoint ${quote(text)} is here twice`, 'remove one');
    seen.add(key);
    endpoints.push(endpoint);
  });
  return endpoints;
}

function readAllow(reader: Reader, path: Path, rules: ServiceFile['allow']): readonly AllowRule[] | null {
  if (rules === undefined) return null;
  reader.rule(path);
  const read: AllowRule[] = [];
  rules.forEach((rule, index) => {
    if (rule === undefined) return;
    const at = [...path, index];
    const paths: PathPattern[] = [];
    (rule.paths ?? []).forEach((text, each) => {
      const pattern = text === undefined ? null : readPattern(reader, [...at, 'paths', each], text);
      if (pattern !== null) paths.push(pattern);
    });
    read.push({
      from: typeof rule.from === 'string' ? [rule.from] : rule.from,
      methods: readMethods(reader, [...at, 'methods'], rule.methods ?? []),
      paths,
      ruleId: reader.rule(at),
    });
  });
  return read;
}

function readVersions(reader: Reader, path: Path, file: ServiceFile): readonly ServiceVersion[] {
  if (file.versions === undefined) return [{ name: null, instances: file.instances ?? 1 }];
  if (file.instances !== undefined) {
    const hint = 'write instances in each version';
    reader.error([...path, 'instances'], 'found instances beside versions, expected one of them', hint, 'key');
  }
  const names = Object.keys(file.versions).toSorted();
  if (names.length === 0) {
    reader.error(
      [...path, 'versions'],
      'found an empty mapping, expected at least one version',
      'leave versions out where there is only one',
    );
  }
  return names.map((name) => ({ name, instances: file.versions?.[name]?.instances ?? 1 }));
}

// The ports of a service by name: the main one, whose name may be left out, and further ones.
import type { Service, ServicePort } from '../model/mesh.ts';

/** The port that its name is called on. 0: a job has none, nor have static endpoints that differ in theirs. */
export function portOf(service: Service): number {
  if (service.kind === 'workload') return service.port ?? 0;
  const ports = new Set(service.endpoints.map(({ port }) => port));
  const [port] = ports;
  return ports.size === 1 ? (port ?? 0) : 0;
}

/** The main one first, under the name ''; nothing for a job. */
export function portsOf(service: Service): readonly ServicePort[] {
  if (service.kind === 'workload' && service.port === null) return [];
  const main = { name: '', port: portOf(service), protocol: service.protocol };
  return service.kind === 'static' ? [main] : [main, ...service.ports];
}

/** '' is the main port, which also has the name that the file gives it. null: there is none of this name. */
export function portNamed(service: Service, name: string): ServicePort | null {
  const main = service.kind === 'workload' && name !== '' && name === service.portName ? '' : name;
  return portsOf(service).find((port) => port.name === main) ?? null;
}

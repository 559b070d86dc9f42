// The references of a mesh, checked before anything is made of them: a mesh may come from elsewhere than
// a file. `core/config` says the same with positions and hints.
import { edgeAccount, type RuleId } from '../model/brand.ts';
import type { Mesh, WeightedTarget } from '../model/mesh.ts';
import { type EdgeTargets, targetsOfEdge } from './edge-targets.ts';
import { portNamed } from './ports.ts';

export interface CompileError {
  readonly ruleId: RuleId;
  readonly message: string;
}

export function checkMesh(mesh: Mesh): readonly CompileError[] {
  const errors: CompileError[] = [];
  const accounts = new Set([...mesh.services.keys(), ...[...mesh.edges.keys()].map(edgeAccount)]);
  for (const service of mesh.services.values()) {
    if (service.kind === 'static') continue;
    const called = new Set<string>();
    for (const call of service.calls) {
      const fault = called.has(call.service) ? `"${call.service}" is there twice` : calleeFault(mesh, call.service);
      if (fault !== null) errors.push({ ruleId: call.ruleId, message: fault });
      called.add(call.service);
    }
    for (const rule of service.allow ?? []) {
      for (const account of rule.from.filter((each) => !accounts.has(each))) {
        errors.push({ ruleId: rule.ruleId, message: `"${account}" is neither a service nor an edge` });
      }
    }
  }
  for (const edge of mesh.edges.values()) {
    for (const targets of targetsOfEdge(edge)) errors.push(...routeFaults(mesh, targets));
  }
  return errors;
}

function routeFaults(mesh: Mesh, route: EdgeTargets): readonly CompileError[] {
  const messages: string[] = [];
  if (!route.to.some((target) => target.weight > 0)) messages.push('no target has a weight above 0');
  for (const target of route.to) {
    const fault =
      calleeFault(mesh, target.service) ??
      versionFault(mesh, target.service, target.version) ??
      portFault(mesh, target, route.carries);
    if (fault !== null) messages.push(fault);
  }
  return messages.map((message) => ({ ruleId: route.ruleId, message }));
}

function calleeFault(mesh: Mesh, name: string): string | null {
  const service = mesh.services.get(name);
  if (service === undefined) return `there is no service "${name}"`;
  return service.kind === 'workload' && service.port === null ? `"${name}" has no port` : null;
}

function versionFault(mesh: Mesh, name: string, version: string | null): string | null {
  const service = mesh.services.get(name);
  if (version === null || service === undefined) return null;
  const known = service.kind === 'workload' && service.versions.some((each) => each.name === version);
  return known ? null : `"${name}" has no version "${version}"`;
}

function portFault(mesh: Mesh, target: WeightedTarget, carries: 'http' | 'tcp'): string | null {
  const service = mesh.services.get(target.service);
  if (service === undefined) return null;
  const port = portNamed(service, target.port);
  if (port === null) return `"${target.service}" has no port "${target.port}"`;
  if ((port.protocol === 'tcp') === (carries === 'tcp')) return null;
  return `"${target.service}" speaks ${port.protocol} there, which is not what comes in`;
}

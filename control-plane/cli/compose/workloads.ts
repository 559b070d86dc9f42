// Every proxy that the override adds: a sidecar per instance of a service, an edge per published service; and the names
// of their containers and volumes.
import type { Member, Plan } from './plan.ts';

export const MESH_NETWORK = 'weft-mesh';
export const OUTSIDE_NETWORK = 'weft-outside';

/** A proxy with its identity. */
export interface Workload {
  /** Of the proxy, in logs. */
  readonly name: string;
  /** As compose-init takes it. */
  readonly target: string;
  /** Its state. */
  readonly volume: string;
}

/** One instance of a service: its pod, its sidecar and the app. */
export interface Instance extends Workload {
  readonly member: Member;
  /** Compose service of the app: the user's own, or a copy for a further replica. */
  readonly app: string;
  readonly isCopy: boolean;
}

export interface EdgeWorkload extends Workload {
  readonly member: Member;
  /** Its compose service. */
  readonly service: string;
}

/** More than this is no project for one machine: the first so many are carried. */
export const MOST_REPLICAS = 32;

export function instancesOf(member: Member): readonly Instance[] {
  const count = Math.min(Math.max(1, member.service.replicas), MOST_REPLICAS);
  return Array.from({ length: count }, (_, index) => {
    const suffix = index === 0 ? '' : `-${index + 1}`;
    const name = `${member.name}${suffix}`;
    const app = `${member.service.name}${suffix}`;
    return { member, app, name, target: member.name, volume: `weft-state-${name}`, isCopy: index > 0 };
  });
}

export function edgesOf({ members }: Plan): readonly EdgeWorkload[] {
  return members
    .filter(({ port, edgePorts }) => port !== null && edgePorts.length > 0)
    .map((member) => ({
      member,
      service: `${member.service.name}-edge`,
      name: `edge-${member.name}`,
      target: `edge:${member.name}`,
      volume: `weft-state-edge-${member.name}`,
    }));
}

/** Names of services and volumes that the override adds: none may be the user's own. */
export function addedNames(plan: Plan): { readonly services: readonly string[]; readonly volumes: readonly string[] } {
  const instances = plan.members.flatMap((member) => instancesOf(member));
  const edges = edgesOf(plan);
  return {
    services: [
      'weft-init',
      'weft-control-plane',
      ...instances.flatMap(({ app, isCopy }) => [...(isCopy ? [app] : []), podName(app), sidecarName(app)]),
      ...edges.map(({ service }) => service),
    ],
    volumes: ['weft-control-plane', 'weft-pods', ...[...instances, ...edges].map(({ volume }) => volume)],
  };
}

export function podName(app: string): string {
  return `${app}-pod`;
}

/** Leads past the sidecar, for ports that are not carried. Not the pod's own name: that is one in weft-mesh too. */
export function directName(service: string): string {
  return `${service}-direct`;
}

export function sidecarName(app: string): string {
  return `${app}-sidecar`;
}

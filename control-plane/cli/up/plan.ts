// What `weft up` runs for a mesh, as plain data: one sidecar per instance with the app beside it where `run` names
// its command, and the edges. Two plans are compared to learn what an edit of the config changes.
import { targetsOfEdge } from '../../../core/compile/edge-targets.ts';
import { portNamed, portsOf } from '../../../core/compile/ports.ts';
import { targetCluster } from '../../../core/compile/resources.ts';
import type { Edge, EdgeListener, Mesh, RouteRule, Service, WorkloadService } from '../../../core/model/mesh.ts';
import { clusterName } from '../../../core/model/brand.ts';

export interface MeshPlan {
  readonly instances: ReadonlyMap<string, InstancePlan>;
  readonly edges: ReadonlyMap<string, EdgePlan>;
  /** Cluster name → how many endpoints there will be. Static ones count; those of apps that somebody else starts do not. */
  readonly expected: ReadonlyMap<string, number>;
}

export interface InstancePlan {
  /** `orders-v1-2`: unique, and the instance's name in the mesh. */
  readonly name: string;
  readonly service: string;
  readonly version: string | null;
  /** The service's port as configured; null for a job. */
  readonly port: number | null;
  readonly run: string | null;
  /** Threads of its sidecar. */
  readonly workers: number;
  /** Further ports, by name. */
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  /** What it calls, in config order: clusters, `orders:grpc` for a further port. */
  readonly callees: readonly string[];
  /** Those of them that are bytes. */
  readonly bytes: readonly string[];
}

export interface EdgePlan {
  readonly name: string;
  /** Threads of its proxy. */
  readonly workers: number;
  readonly listeners: readonly EdgeListener[];
  readonly routes: readonly RouteRule[];
  /** Clusters that its routes can lead to. */
  readonly clusters: readonly string[];
  /** Those of them that curl is understood by. */
  readonly http: readonly string[];
}

export function planMesh(mesh: Mesh): MeshPlan {
  const instances = new Map<string, InstancePlan>();
  const expected = new Map<string, number>();
  for (const service of mesh.services.values()) planService(mesh, service, instances, expected);
  const edges = new Map([...mesh.edges.values()].map((edge) => [edge.name, planEdge(mesh, edge)]));
  return { instances, edges, expected };
}

function planService(
  mesh: Mesh,
  service: Service,
  instances: Map<string, InstancePlan>,
  expected: Map<string, number>,
): void {
  if (service.kind === 'static') {
    expected.set(clusterName(service.name), service.endpoints.length);
    return;
  }
  let all = 0;
  for (const version of service.versions) {
    // An instance is called while its app answers.
    const called = service.run === null ? 0 : version.instances;
    all += called;
    for (const port of portsOf(service)) {
      if (version.name === null) break;
      expected.set(clusterName(service.name, version.name, port.name), called);
    }
    for (let i = 1; i <= version.instances; i += 1) {
      const plan = planInstance(mesh, service, version.name, freeName(service.name, version.name, i, instances));
      instances.set(plan.name, plan);
    }
  }
  for (const port of portsOf(service)) expected.set(clusterName(service.name, undefined, port.name), all);
}

function planInstance(mesh: Mesh, service: WorkloadService, version: string | null, name: string): InstancePlan {
  const { port, run, workers } = service;
  const ports = service.ports.map((further) => ({ name: further.name, port: further.port }));
  const callees = service.calls.flatMap((call) => {
    const callee = mesh.services.get(call.service);
    return callee === undefined ? [] : portsOf(callee).map((each) => ({ callee: call.service, ...each }));
  });
  const clusterOf = ({ callee, name: portName }: (typeof callees)[number]): string =>
    clusterName(callee, undefined, portName);
  return {
    ...{ name, service: service.name, version, port, run, workers, ports },
    callees: callees.map(clusterOf),
    bytes: callees.filter(({ protocol }) => protocol === 'tcp').map(clusterOf),
  };
}

// An instance name is a DNS label, as service and version are: too long a one is cut. Version `b` of `a` must not meet
// the service `a-b`.
const LONGEST_STEM = 56;

function freeName(service: string, version: string | null, index: number, taken: ReadonlyMap<string, unknown>): string {
  const stem = version === null ? service : `${service}-${version}`;
  let name = `${stem.slice(0, LONGEST_STEM)}-${index}`;
  while (taken.has(name)) name += 'x';
  return name;
}

function planEdge(mesh: Mesh, edge: Edge): EdgePlan {
  const targets = targetsOfEdge(edge).flatMap(({ to }) => to.filter(({ weight }) => weight > 0));
  const clusters = new Set(targets.map(targetCluster));
  const http = targets.filter(({ service, port }) => {
    const callee = mesh.services.get(service);
    const protocol = callee === undefined ? undefined : portNamed(callee, port)?.protocol;
    return protocol === 'http' || protocol === 'http2';
  });
  return {
    name: edge.name,
    workers: edge.workers,
    listeners: edge.listeners,
    routes: edge.routes,
    clusters: [...clusters],
    http: [...new Set(http.map(targetCluster))],
  };
}

export interface PlanChange {
  readonly removed: readonly string[];
  readonly added: readonly string[];
  /** Must be started anew: what it calls, its port or its command is another. */
  readonly changed: readonly string[];
}

/** What must be stopped and started to get from one set of instances to the next. */
export function compareInstances(
  before: ReadonlyMap<string, InstancePlan>,
  after: ReadonlyMap<string, InstancePlan>,
): PlanChange {
  return {
    removed: [...before.keys()].filter((name) => !after.has(name)),
    added: [...after.keys()].filter((name) => !before.has(name)),
    changed: [...after]
      .filter(([name, plan]) => {
        const old = before.get(name);
        return old !== undefined && JSON.stringify(old) !== JSON.stringify(plan);
      })
      .map(([name]) => name),
  };
}

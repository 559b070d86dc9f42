// From decoded resources to a whole view whose names all lead somewhere.
import type { SnapshotHash } from '../../core/model/brand.ts';
import {
  RESOURCE_TYPES,
  type Cluster,
  type ClusterEndpoints,
  type Listener,
  type ResourceType,
  type RouteTable,
  type View,
} from '../../core/model/view.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import type { Flaw } from './fields.ts';

interface Named {
  readonly name: string;
  /** Content hash, as the control plane gave it. */
  readonly version: string;
}

export type DecodedResource =
  | (Named & { readonly type: 'cluster'; readonly value: Cluster })
  | (Named & { readonly type: 'endpoints'; readonly value: ClusterEndpoints })
  | (Named & { readonly type: 'listener'; readonly value: Listener })
  | (Named & { readonly type: 'routes'; readonly value: RouteTable });

/** `type/name`: one key for both ledgers, logs and error details. */
export function resourceKey(type: ResourceType, name: string): string {
  return `${type}/${name}`;
}

/** The type and name in a key; null where the text is none. */
export function parseResourceKey(key: string): { readonly type: ResourceType; readonly name: string } | null {
  const slash = key.indexOf('/');
  const type = RESOURCE_TYPES.find((candidate) => candidate === key.slice(0, slash));
  return type === undefined ? null : { type, name: key.slice(slash + 1) };
}

/** The view that these resources make; a dangling name is a flaw of the resource that says it. */
export function viewOf(resources: Iterable<DecodedResource>, snapshot: SnapshotHash): Result<View, Flaw> {
  const clusters = new Map<string, Cluster>();
  const endpoints = new Map<string, ClusterEndpoints>();
  const listeners = new Map<string, Listener>();
  const routes = new Map<string, RouteTable>();
  for (const resource of resources) {
    if (resource.type === 'cluster') clusters.set(resource.name, resource.value);
    else if (resource.type === 'endpoints') endpoints.set(resource.name, resource.value);
    else if (resource.type === 'listener') listeners.set(resource.name, resource.value);
    else routes.set(resource.name, resource.value);
  }
  const view: View = { snapshot, clusters, endpoints, listeners, routes };
  const flaw = danglingName(view);
  return flaw === null ? ok(view) : err(flaw);
}

function danglingName(view: View): Flaw | null {
  for (const [name, cluster] of view.clusters) {
    if (!view.endpoints.has(name)) return dangling('cluster', name, '', `endpoints/${name}`, cluster.ruleId);
  }
  for (const name of view.endpoints.keys()) {
    if (!view.clusters.has(name)) return dangling('endpoints', name, 'cluster', `cluster/${name}`, '');
  }
  for (const [name, listener] of view.listeners) {
    const flaw = danglingOfListener(view, name, listener);
    if (flaw !== null) return flaw;
  }
  for (const [name, table] of view.routes) {
    const flaw = danglingTarget(view, name, table);
    if (flaw !== null) return flaw;
  }
  return null;
}

function danglingOfListener(view: View, name: string, listener: Listener): Flaw | null {
  if (listener.kind === 'inbound') return null;
  if (listener.routes !== '' && !view.routes.has(listener.routes)) {
    return dangling('listener', name, 'routes', `routes/${listener.routes}`, listener.ruleId);
  }
  const tcp = listener.kind === 'edge' ? listener.tcp : listener.tcp === null ? [] : [listener.tcp];
  for (const { split, ruleId } of tcp) {
    const missing = split.find(({ cluster }) => !view.clusters.has(cluster));
    if (missing !== undefined) return dangling('listener', name, 'tcp', `cluster/${missing.cluster}`, ruleId);
  }
  return null;
}

function danglingTarget(view: View, name: string, table: RouteTable): Flaw | null {
  for (const [index, route] of table.routes.entries()) {
    for (const [target, { cluster }] of route.split.entries()) {
      if (view.clusters.has(cluster)) continue;
      const path = `routes[${index}].split[${target}].cluster`;
      return dangling('routes', name, path, `cluster/${cluster}`, route.ruleId);
    }
  }
  return null;
}

function dangling(type: ResourceType, name: string, path: string, target: string, ruleId: string): Flaw {
  return { resource: resourceKey(type, name), path, reason: `needs ${target}, which is not in the view`, ruleId };
}

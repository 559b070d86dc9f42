// Whether the mesh can carry the first request: every proxy has its view with all endpoints that will be there, every
// edge listens, every app accepts. It says what is missing, so that a stuck start explains itself.
import type { BoundPort, ChildMessage } from '../../../host/ipc.ts';
import type { MeshPlan } from './plan.ts';

interface ProxyState {
  ready: boolean;
  ports: readonly BoundPort[];
  clusters: Readonly<Record<string, number>>;
}

export class Readiness {
  readonly #proxies = new Map<string, ProxyState>();
  readonly #apps = new Set<string>();

  /** What a proxy said; `name` is `edge-main` or the instance. */
  note(name: string, message: ChildMessage): void {
    const state = this.#proxies.get(name) ?? { ready: false, ports: [], clusters: {} };
    this.#proxies.set(name, state);
    if (message.kind === 'ready') state.ready = true;
    else if (message.kind === 'listening') state.ports = message.ports;
    else if (message.kind === 'state') state.clusters = message.clusters;
  }

  noteProxyGone(name: string): void {
    this.#proxies.delete(name);
  }

  noteApp(instance: string, accepts: boolean): void {
    if (accepts) this.#apps.add(instance);
    else this.#apps.delete(instance);
  }

  isReady(name: string): boolean {
    return this.#proxies.get(name)?.ready ?? false;
  }

  /** Whether this proxy has an endpoint of this cluster. */
  reaches(name: string, cluster: string): boolean {
    return (this.#proxies.get(name)?.clusters[cluster] ?? 0) > 0;
  }

  accepts(instance: string): boolean {
    return this.#apps.has(instance);
  }

  /** The bound port of a socket of a proxy; null while it is not bound. */
  port(proxy: string, socket: string): BoundPort | null {
    return this.#proxies.get(proxy)?.ports.find(({ name }) => name === socket) ?? null;
  }

  /** One short clause for each thing that a first request could miss; empty: ready. */
  missing(plan: MeshPlan): readonly string[] {
    const missing: string[] = [];
    for (const edge of plan.edges.values()) {
      const name = `edge-${edge.name}`;
      this.#missingOfProxy(name, edge.clusters, plan, missing);
      for (const index of edge.listeners.keys()) {
        const socket = `edge/${edge.name}/${index}`;
        if (this.port(name, socket) === null)
          missing.push(`${name} does not listen yet (edges.${edge.name}.listeners[${index}])`);
      }
    }
    for (const instance of plan.instances.values()) {
      this.#missingOfProxy(instance.name, instance.callees, plan, missing);
      const serves = instance.run !== null && instance.port !== null;
      if (serves && !this.#apps.has(instance.name)) missing.push(`the app of ${instance.name} does not accept yet`);
    }
    return missing;
  }

  #missingOfProxy(name: string, clusters: readonly string[], plan: MeshPlan, missing: string[]): void {
    const state = this.#proxies.get(name);
    if (state === undefined || !state.ready) {
      missing.push(`${name} is not ready`);
      return;
    }
    for (const cluster of clusters) {
      const usable = state.clusters[cluster] ?? 0;
      const expected = plan.expected.get(cluster) ?? 0;
      if (usable < expected) missing.push(`${name} sees ${usable} of ${expected} instances of ${cluster}`);
    }
  }
}

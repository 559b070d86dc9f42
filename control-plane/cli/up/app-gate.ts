// Holds an app back until it can call: its sidecar has the endpoints of its callees, and for a job, which asks only
// once, their apps accept as well. Of apps that call in a circle none waits for the other, as endpoints come with their
// apps; whoever calls something that never comes waits only so long.
import type { InstancePlan, MeshPlan } from './plan.ts';
import type { Readiness } from './readiness.ts';

const PATIENCE = 10_000;

export class AppGate {
  readonly #readiness: Readiness;
  readonly #open: (name: string) => void;
  readonly #waiting = new Map<string, NodeJS.Timeout>();

  /** `open` starts the app of an instance. */
  constructor(readiness: Readiness, open: (name: string) => void) {
    this.#readiness = readiness;
    this.#open = open;
  }

  /** Its sidecar is ready. */
  wait(name: string): void {
    if (this.#waiting.has(name)) return;
    this.#waiting.set(
      name,
      setTimeout(() => this.#let(name), PATIENCE),
    );
  }

  /** Something changed: opens for whoever can call now. */
  check(plan: MeshPlan): void {
    for (const name of [...this.#waiting.keys()]) {
      const instance = plan.instances.get(name);
      if (instance === undefined) this.drop(name);
      else if (this.#canCall(instance, plan)) this.#let(name);
    }
  }

  drop(name: string): void {
    clearTimeout(this.#waiting.get(name));
    this.#waiting.delete(name);
  }

  close(): void {
    for (const name of [...this.#waiting.keys()]) this.drop(name);
  }

  #let(name: string): void {
    this.drop(name);
    this.#open(name);
  }

  #canCall(instance: InstancePlan, plan: MeshPlan): boolean {
    const { name, callees, port } = instance;
    const awaited = callees.filter((callee) => plan.expected.get(callee) !== 0 && !leadsTo(callee, instance, plan));
    if (!awaited.every((callee) => this.#readiness.reaches(name, callee))) return false;
    if (port !== null) return true;
    const called = [...plan.instances.values()].filter(({ service }) => callees.includes(service));
    return called.every(
      (callee) => callee.run === null || callee.port === null || this.#readiness.accepts(callee.name),
    );
  }
}

/** Whether an app behind this cluster waits, by way of whatever it calls, for this instance. */
function leadsTo(cluster: string, { service }: InstancePlan, plan: MeshPlan): boolean {
  const serviceOf = (name: string): string => name.replace(/[@:].*$/, '');
  const seen = new Set<string>();
  const open = [serviceOf(cluster)];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === service) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    const callees = [...plan.instances.values()].find((each) => each.service === next)?.callees ?? [];
    open.push(...callees.map(serviceOf));
  }
  return false;
}

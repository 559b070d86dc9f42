// Whom a service calls, guessed from its environment and from `depends_on`.
import type { Note } from './note.ts';
import type { ComposeService } from './project.ts';
import type { Reference } from './references.ts';
import { directName } from './workloads.ts';

export interface Call {
  /** Name in the mesh. */
  readonly to: string;
  /** Compose service. */
  readonly service: string;
  readonly reason: string;
}

/** A variable whose value must name the callee past its sidecar. */
export interface Rewrite {
  /** Service whose variable it is. */
  readonly service: string;
  readonly variable: string;
  /** As the file has it, with the other host. */
  readonly value: string;
  readonly reason: string;
}

interface Caller {
  readonly service: ComposeService;
  readonly line?: number;
  /** The service and those that share its namespace. */
  readonly speakers: readonly ComposeService[];
}

export interface Target {
  /** Compose service. */
  readonly service: string;
  readonly name: string;
  /** Those that are carried, the main one first; none: a job. */
  readonly ports: readonly number[];
}

interface Calls {
  readonly calls: readonly Call[];
  readonly rewrites: readonly Rewrite[];
  readonly notes: readonly Note[];
}

export function callsOf(caller: Caller, targets: readonly Target[], references: readonly Reference[]): Calls {
  const calls: Call[] = [];
  const rewrites: Rewrite[] = [];
  const notes: Note[] = [];
  const own = references.filter(({ from }) => caller.speakers.some(({ name }) => name === from));
  for (const target of targets) {
    if (target.service === caller.service.name || target.ports.length === 0) continue;
    const to = own.filter((reference) => reference.to === target.service);
    const reason = reasonOf(caller, target, to);
    if (reason === null) continue;
    calls.push({ to: target.name, service: target.service, reason });
    for (const reference of to) {
      if (reference.port === null || target.ports.includes(reference.port)) continue;
      const rewrite = rewriteOf(caller, reference);
      if (rewrite === null) notes.push(lost(caller, reference));
      else {
        // A second reference in the same variable goes on with what the first one left.
        const before = rewrites.findIndex(
          (each) => each.variable === rewrite.variable && each.service === rewrite.service,
        );
        if (before < 0) rewrites.push(rewrite);
        else rewrites[before] = { ...rewrite, value: replaceHost(rewrites[before]?.value ?? '', reference) };
      }
    }
  }
  for (const { service, variable, reason } of rewrites) {
    const text = `its variable ${variable} is set in compose.weft.yml: ${reason}`;
    notes.push({ kind: 'changed', service, line: caller.service.line, text });
  }
  return { calls, rewrites, notes };
}

function reasonOf(caller: Caller, target: Target, references: readonly Reference[]): string | null {
  const reference = references.find(({ port }) => port === null || target.ports.includes(port));
  if (reference !== undefined) {
    return reference.variable === '' ? reference.place : `${reference.variable} (${reference.place})`;
  }
  const { service } = target;
  // A reference to another of its ports alone goes past the mesh, as before.
  if (references.length > 0) return null;
  if (caller.speakers.some(({ dependsOn }) => dependsOn.includes(service))) return 'depends_on';
  return caller.speakers.some(({ links }) => links.some(([to]) => to === service)) ? 'links' : null;
}

function rewriteOf(caller: Caller, reference: Reference): Rewrite | null {
  const service = caller.speakers.find(({ name }) => name === reference.from);
  const entry = service?.environment.find(({ name }) => name === reference.variable);
  const value = replaceHost(entry?.raw ?? '', reference);
  if (service === undefined || entry === undefined || value === entry.raw) return null;
  const reason = `port ${reference.port} of ${reference.to} is not carried, so it is called past the mesh`;
  return { service: service.name, variable: reference.variable, value, reason };
}

function replaceHost(text: string, { host, port, to }: Reference): string {
  return text.replaceAll(`${host}:${port}`, `${directName(to)}:${port}`);
}

function lost(caller: Caller, reference: Reference): Note {
  const { from, host, port } = reference;
  const where = reference.variable === '' ? 'its command' : `its variable ${reference.variable}`;
  const text = `${where} calls ${host}:${port}, a port that is not carried; write ${directName(reference.to)}:${port} there`;
  return { kind: 'cannot', service: from, line: caller.service.line, text };
}

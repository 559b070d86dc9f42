// `weft hosts FILE`: which loopback address stands for which service, as lines of /etc/hosts or, by --json, for programs.
import { loopbackAddresses } from '../../core/compile/loopback.ts';
import { portOf } from '../../core/compile/ports.ts';
import { nearestName } from '../../core/config/nearest.ts';
import { parseConfig } from '../../core/config/parse.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { Mesh } from '../../core/model/mesh.ts';
import { readConfigFiles } from '../../host/config-files.ts';
import { problemLine } from './validate.ts';

export interface HostsArgs {
  readonly file: string;
  /** Only what this service calls; null: every service that can be called. */
  readonly service: string | null;
  readonly json: boolean;
}

interface HostsEntry {
  readonly address: string;
  readonly name: string;
  /** Where a sidecar with `--names on` serves it. */
  readonly port: number;
}

/** Exit code: 1 where the file is not valid. Throws MeshError `usage` where it has no such service. */
export async function runHosts(
  args: HostsArgs,
  out: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  const texts = await readConfigFiles([args.file]);
  const parsed = texts.ok ? parseConfig(texts.value) : texts;
  if (!parsed.ok) {
    for (const problem of parsed.error) complain(problemLine(problem));
    return 1;
  }
  const entries = hostsEntries(parsed.value.mesh, args.service);
  if (args.json) out(JSON.stringify({ hosts: entries }, null, 2));
  else for (const { address, name } of entries) out(`${address} ${name}`);
  return 0;
}

/** Sorted by name; without services that no name leads to: jobs, and static endpoints on several ports. */
function hostsEntries(mesh: Mesh, caller: string | null): readonly HostsEntry[] {
  const addresses = loopbackAddresses([...mesh.services.keys()]);
  const called = caller === null ? null : calledBy(mesh, caller);
  const entries: HostsEntry[] = [];
  for (const [name, address] of addresses) {
    const service = mesh.services.get(name);
    const port = service === undefined ? 0 : portOf(service);
    if (port !== 0 && (called === null || called.has(name))) entries.push({ address, name, port });
  }
  return entries;
}

function calledBy(mesh: Mesh, caller: string): ReadonlySet<string> {
  const service = mesh.services.get(caller);
  if (service !== undefined) {
    return new Set(service.kind === 'workload' ? service.calls.map((call) => call.service) : []);
  }
  const names = [...mesh.services.keys()];
  const near = nearestName(caller, names);
  throw new MeshError('usage', {
    detail: `there is no service '${caller}'`,
    hint: near === null ? `known: ${names.join(', ')}` : `did you mean ${near}?`,
  });
}

// `weft pod`: owns the network namespace that a service shares with its sidecar. As root with NET_ADMIN it sets the
// rules, then gives up every privilege, says that the namespace is ready, and sleeps: whenever a pod comes back, also
// after a crash, its new namespace has the rules before anybody can be told to join it.
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MeshError } from '../../../core/kit/error.ts';
import { announceNamespace } from '../../../host/namespace.ts';
import { applyRules, system } from '../netns/netns.ts';
import { planOf, type NetnsFlags } from '../netns/options.ts';
import { dropPrivileges } from './privileges.ts';

const SLEEP = '/bin/sleep';

export interface PodFlags extends NetnsFlags {
  /** Folder that pods share with who joins them; the file in it is the host name, which joiners share. */
  readonly dir: string;
}

/** Does not return but by a signal. Throws MeshError `usage`, `netns-refused` or `file-unreadable`. */
export async function runPod(flags: PodFlags, out: (line: string) => void): Promise<void> {
  const plan = planOf(flags);
  if (plan.appPorts.length + plan.redirects.length > 0) await applyRules(plan, system);
  dropPrivileges();
  await announceNamespace(join(flags.dir, hostname()));
  out(`ready: guards ${plan.appPorts.join(', ') || 'no port'}, redirects ${plan.redirects.length}`);
  if (!existsSync(SLEEP) || typeof process.execve !== 'function') {
    throw new MeshError('usage', { detail: `weft pod needs ${SLEEP} and Linux`, hint: "use the image's target netns" });
  }
  // 1 MiB in place of Node's 40: a pod does nothing more.
  process.execve(SLEEP, ['sleep', 'infinity'], {});
}

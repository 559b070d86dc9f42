// `weft pod`: owns the network namespace that a service shares with its sidecar. As root with NET_ADMIN it sets the
// rules, then gives up every privilege, says that the namespace is ready, and sleeps: whenever a pod comes back, also
// after a crash, its new namespace has the rules before anybody can be told to join it.
import { existsSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MeshError } from '../../../core/kit/error.ts';
import { announceNamespace } from '../../../host/namespace.ts';
import { applyRules, system } from '../netns/netns.ts';
import { backendOf, planOf, type NetnsFlags } from '../netns/options.ts';
import { dropPrivileges } from './privileges.ts';

const SLEEP = '/bin/sleep';

export interface PodFlags extends NetnsFlags {
  /** Folder that pods share with who joins them; the file in it is the host name, which joiners share. */
  readonly dir: string;
  /** Its name in a network of sidecars, where nothing else of it is reached; null: there is no such network. */
  readonly meshName: string | null;
}

/** Does not return but by a signal. Throws MeshError `usage`, `netns-refused` or `file-unreadable`. */
export async function runPod(flags: PodFlags, out: (line: string) => void): Promise<void> {
  const sealed = flags.meshName === null ? [] : await addressesOf(flags.meshName);
  const plan = { ...planOf(flags), sealed };
  const rules = plan.appPorts.length + plan.redirects.length + sealed.length > 0 || plan.denyEgress === true;
  if (rules) await applyRules(plan, system, backendOf(flags));
  dropPrivileges();
  await announceNamespace(join(flags.dir, hostname()));
  out(`ready: guards ${plan.appPorts.join(', ') || 'no port'}, redirects ${plan.redirects.length}`);
  if (!existsSync(SLEEP) || typeof process.execve !== 'function') {
    throw new MeshError('usage', { detail: `weft pod needs ${SLEEP} and Linux`, hint: "use the image's target netns" });
  }
  // 1 MiB in place of Node's 40: a pod does nothing more.
  process.execve(SLEEP, ['sleep', 'infinity'], {});
}

/** Its own addresses by a name that it has in one network alone. Throws MeshError `usage` where the name leads nowhere. */
async function addressesOf(name: string): Promise<readonly string[]> {
  try {
    return (await lookup(name, { all: true, family: 4 })).map(({ address }) => address);
  } catch (cause) {
    const hint = 'it is an alias of this pod in the network of the sidecars';
    throw new MeshError('usage', { detail: `--mesh-name ${name} leads nowhere`, hint, cause });
  }
}

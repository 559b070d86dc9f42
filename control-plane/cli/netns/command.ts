// `weft netns`: set, show or remove.
import { applyRules, printRules, removeRules, system } from './netns.ts';
import { backendOf, planOf, type NetnsFlags } from './options.ts';
import { withDestinations } from './destinations.ts';

export interface NetnsCommand extends NetnsFlags {
  readonly print: boolean;
  readonly remove: boolean;
  /** Admin socket of a sidecar. */
  readonly transparent?: string;
}

/** Throws MeshError `usage`, `netns-refused` or `file-unreadable`. */
export async function runNetns(flags: NetnsCommand, out: (line: string) => void): Promise<void> {
  const backend = backendOf(flags);
  const asked = planOf(flags);
  if (flags.remove) {
    await removeRules(system);
    return out('rules removed');
  }
  const plan = flags.transparent === undefined ? asked : await withDestinations(asked, flags.transparent);
  if (flags.print) return out(printRules(plan, backend).trimEnd());
  const used = await applyRules(plan, system, backend);
  const egress = plan.denyEgress === true ? ', refuses what else goes out' : '';
  out(
    `rules set by ${used}: guards ${plan.appPorts.join(', ') || 'no port'}, redirects ${plan.redirects.length}${egress}`,
  );
}

// `weft netns`: set, show or remove.
import { applyRules, printRules, removeRules, system } from './netns.ts';
import { planOf, type NetnsFlags } from './options.ts';

/** Throws MeshError `usage` or `netns-refused`. */
export async function runNetns(
  flags: NetnsFlags & { readonly print: boolean; readonly remove: boolean },
  out: (line: string) => void,
): Promise<void> {
  const plan = planOf(flags);
  if (flags.print) return out(printRules(plan).trimEnd());
  if (flags.remove) {
    await removeRules(system);
    return out('rules removed');
  }
  await applyRules(plan, system);
  out(`rules set: guards ${plan.appPorts.join(', ') || 'no port'}, redirects ${plan.redirects.length}`);
}

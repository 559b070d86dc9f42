// `weft netns`: set, show or remove; or follow a sidecar whose callees come and go.
import { describeError, MeshError } from '../../../core/kit/error.ts';
import { watchStopSignals } from '../../../host/signals.ts';
import { withDestinations } from './destinations.ts';
import { applyRules, type Backend, printRules, removeRules, system } from './netns.ts';
import { backendOf, planOf, type NetnsFlags } from './options.ts';
import type { NetnsPlan } from './plan.ts';

export interface NetnsCommand extends NetnsFlags {
  readonly print: boolean;
  readonly remove: boolean;
  readonly follow: boolean;
  /** Admin socket of a sidecar. */
  readonly transparent?: string;
}

/** Milliseconds between two looks at a sidecar that is followed. */
const LOOK = 2_000;

/** With `follow` it returns after a signal. Throws MeshError `usage` or `netns-refused`. */
export async function runNetns(flags: NetnsCommand, out: (line: string) => void): Promise<void> {
  const backend = backendOf(flags);
  const asked = planOf(flags);
  const { transparent, follow } = flags;
  if (follow && transparent === undefined) {
    throw new MeshError('usage', { detail: '--follow follows a sidecar', hint: 'name it by --transparent SOCKET' });
  }
  if (flags.remove) {
    await removeRules(system);
    return out('rules removed');
  }
  if (follow && transparent !== undefined && !flags.print) return followSidecar(asked, transparent, backend, out);
  if (
    transparent === undefined &&
    asked.appPorts.length === 0 &&
    asked.redirects.length === 0 &&
    asked.denyEgress !== true
  ) {
    throw new MeshError('usage', {
      detail: 'there is nothing to do',
      hint: 'say --app-port, --redirect, --deny-egress, --transparent or --remove',
    });
  }
  const plan = transparent === undefined ? asked : await withDestinations(asked, transparent);
  if (flags.print) return out(printRules(plan, backend).trimEnd());
  out(said(plan, await applyRules(plan, system, backend)));
  if (transparent !== undefined && plan.redirects.length === asked.redirects.length) {
    out('the sidecar asks for no redirect: does it run with --transparent on, and call anything on other machines?');
  }
}

/** A sidecar that is away, not yet there included, changes no rule. */
async function followSidecar(
  asked: NetnsPlan,
  socket: string,
  backend: Backend | null,
  out: (line: string) => void,
): Promise<void> {
  const signals = watchStopSignals();
  // Nobody waits for the sidecar without the rules that need none.
  let known = JSON.stringify(asked);
  out(said(asked, await applyRules(asked, system, backend)));
  let trouble = '';
  while (!signals.stop.aborted) {
    try {
      const plan = await withDestinations(asked, socket);
      trouble = '';
      const wanted = JSON.stringify(plan);
      if (wanted !== known) out(said(plan, await applyRules(plan, system, backend)));
      known = wanted;
    } catch (error) {
      const line = describeError(error);
      if (line !== trouble) out(`rules stay as they are: ${line}`);
      trouble = line;
    }
    await pause(LOOK, signals.stop);
  }
  signals.close();
}

function said(plan: NetnsPlan, by: Backend): string {
  const egress = plan.denyEgress === true ? ', refuses what else goes out' : '';
  return `rules set by ${by}: guards ${plan.appPorts.join(', ') || 'no port'}, redirects ${plan.redirects.length}${egress}`;
}

function pause(ms: number, until: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    until.addEventListener('abort', () => {
      clearTimeout(timer);
      done();
    });
  });
}

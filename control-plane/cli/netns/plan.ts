// Which packet rules a container's network namespace gets, as texts for iptables-restore. Weft has chains of its
// own, so that whatever else filters in the namespace (Docker's name server does) stays as it is.
import type { HostPort } from '../../../core/model/mesh.ts';

export interface NetnsPlan {
  /** The app listens here; only its own namespace may connect, so that everybody else comes by the sidecar. */
  readonly appPorts: readonly number[];
  readonly redirects: readonly Redirect[];
  /** Addresses of its own, IPv4, at which nothing but the sidecar is reached: those in a network of sidecars. */
  readonly sealed?: readonly string[];
}

/** What the app sends to `from`, an address of a callee's name, goes to the sidecar at `to`. IPv4 loopback both. */
export interface Redirect {
  readonly from: HostPort;
  readonly to: HostPort;
}

export type Program = 'iptables' | 'ip6tables';

/** A chain of Weft's and the built-in chain that it is called from. */
export interface Hook {
  readonly table: 'filter' | 'nat';
  readonly builtin: 'INPUT' | 'OUTPUT';
  readonly chain: 'WEFT_INPUT' | 'WEFT_OUTPUT';
}

const GUARD: Hook = { table: 'filter', builtin: 'INPUT', chain: 'WEFT_INPUT' };
const NAMES: Hook = { table: 'nat', builtin: 'OUTPUT', chain: 'WEFT_OUTPUT' };

/** Addresses of names are IPv4, so nothing is redirected in IPv6; the app's port is guarded in both. */
export function hooksOf(program: Program): readonly Hook[] {
  return program === 'iptables' ? [GUARD, NAMES] : [GUARD];
}

/** Arguments that ask whether the built-in chain calls Weft's already: exit code 0 if so. */
export function checkArguments(hook: Hook): readonly string[] {
  return ['-w', '-t', hook.table, '-C', hook.builtin, '-j', hook.chain];
}

/**
 * Text for `PROGRAM-restore --noflush`: each table is replaced in one step, so that there is no moment without the
 * rules; a second run leaves the same rules. A table without rules, now or before, is not touched: the kernel may
 * not have it.
 *
 * @param called the hooks whose jump is there already
 */
export function applyText(program: Program, plan: NetnsPlan, called: ReadonlySet<Hook>): string {
  return hooksOf(program)
    .map((hook) => ({
      hook,
      rules: hook === GUARD ? [...guardRules(plan), ...sealRules(program, plan)] : redirectRules(plan),
    }))
    .filter(({ hook, rules }) => rules.length > 0 || called.has(hook))
    .map(({ hook, rules }) => tableText(hook, [...jump(hook, called), ...rules]))
    .join('');
}

/** Takes chains and jumps out again; without effect where there are none. */
export function removeText(program: Program, called: ReadonlySet<Hook>): string {
  return hooksOf(program)
    .filter((hook) => called.has(hook))
    .map((hook) => tableText(hook, [`-D ${hook.builtin} -j ${hook.chain}`, `-X ${hook.chain}`]))
    .join('');
}

// With --noflush the declaration of a chain makes it, or empties the one that is there.
function tableText({ table, chain }: Hook, lines: readonly string[]): string {
  return [`*${table}`, `:${chain} - [0:0]`, ...lines, 'COMMIT', ''].join('\n');
}

function jump(hook: Hook, called: ReadonlySet<Hook>): string[] {
  return called.has(hook) ? [] : [`-I ${hook.builtin} 1 -j ${hook.chain}`];
}

function guardRules({ appPorts }: NetnsPlan): string[] {
  return unique(appPorts).map((port) => `-A ${GUARD.chain} ! -i lo -p tcp -m tcp --dport ${port} -j DROP`);
}

/** The sidecar's inbound and status ports. */
const SIDECAR_PORTS = [15_006, 15_020];

// What the app began itself goes on: only new connections are dropped, told by their first segment, so that the kernel
// need not track any.
function sealRules(program: Program, { sealed = [] }: NetnsPlan): string[] {
  if (program === 'ip6tables') return [];
  return unique(sealed).flatMap((address) => [
    ...SIDECAR_PORTS.map((port) => `-A ${GUARD.chain} -d ${address}/32 -p tcp -m tcp --dport ${port} -j RETURN`),
    `-A ${GUARD.chain} -d ${address}/32 ! -i lo -p tcp -m tcp --syn -j DROP`,
    `-A ${GUARD.chain} -d ${address}/32 ! -i lo -p udp -j DROP`,
  ]);
}

function redirectRules({ redirects }: NetnsPlan): string[] {
  return unique(
    redirects.map(
      ({ from, to }) =>
        `-A ${NAMES.chain} -d ${from.host}/32 -p tcp -m tcp --dport ${from.port} -j DNAT --to-destination ${to.host}:${to.port}`,
    ),
  );
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

// The rules as texts for iptables-restore and ip6tables-restore. Weft has chains of its own, so that whatever else filters
// in the namespace (Docker's name server does) stays as it is.
import { LOOPBACK_BLOCK, standInPort } from '../../../core/compile/loopback.ts';
import { instancesIn, namesIn, SIDECAR_PORTS, unique, WEFT_USER, type NetnsPlan, type Redirect } from './plan.ts';

export type Program = 'iptables' | 'ip6tables';

/** A chain of Weft's and the built-in chain that it is called from. */
export interface Hook {
  readonly table: 'filter' | 'nat';
  readonly builtin: 'INPUT' | 'OUTPUT';
  readonly chain: 'WEFT_INPUT' | 'WEFT_OUTPUT' | 'WEFT_EGRESS';
  rules(program: Program, plan: NetnsPlan): readonly string[];
}

/** In the order of their tables. */
export const HOOKS: readonly Hook[] = [
  { table: 'filter', builtin: 'INPUT', chain: 'WEFT_INPUT', rules: guardRules },
  { table: 'filter', builtin: 'OUTPUT', chain: 'WEFT_EGRESS', rules: egressRules },
  { table: 'nat', builtin: 'OUTPUT', chain: 'WEFT_OUTPUT', rules: redirectRules },
];

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
  return tables((hook) => {
    const rules = hook.rules(program, plan).map((rule) => `-A ${hook.chain} ${rule}`);
    if (rules.length === 0 && !called.has(hook)) return [];
    const jump = called.has(hook) ? [] : [`-I ${hook.builtin} 1 -j ${hook.chain}`];
    return [declaration(hook), ...jump, ...rules];
  });
}

/** Takes chains and jumps out again; without effect where there are none. */
export function removeText(called: ReadonlySet<Hook>): string {
  return tables((hook) => {
    if (!called.has(hook)) return [];
    return [declaration(hook), `-D ${hook.builtin} -j ${hook.chain}`, `-X ${hook.chain}`];
  });
}

function tables(linesOf: (hook: Hook) => readonly string[]): string {
  return (['filter', 'nat'] as const)
    .map((table) => {
      const lines = HOOKS.filter((hook) => hook.table === table).flatMap(linesOf);
      // Chains have to be there before rules name them.
      const chains = lines.filter((line) => line.startsWith(':'));
      const rules = lines.filter((line) => !line.startsWith(':'));
      return lines.length === 0 ? '' : [`*${table}`, ...chains, ...rules, 'COMMIT', ''].join('\n');
    })
    .join('');
}

/** With --noflush this makes the chain, or empties the one that is there. */
function declaration({ chain }: Hook): string {
  return `:${chain} - [0:0]`;
}

function guardRules(program: Program, plan: NetnsPlan): readonly string[] {
  const ports = unique(plan.appPorts).map((port) => `! -i lo -p tcp -m tcp --dport ${port} -j DROP`);
  return program === 'iptables' ? [...ports, ...sealRules(plan)] : ports;
}

// What the app began itself goes on: only new connections are dropped, told by their first segment, so that the kernel
// need not track any.
function sealRules({ sealed = [] }: NetnsPlan): readonly string[] {
  return unique(sealed).flatMap((address) => [
    ...SIDECAR_PORTS.map((port) => `-d ${address}/32 -p tcp -m tcp --dport ${port} -j RETURN`),
    `-d ${address}/32 ! -i lo -p tcp -m tcp --syn -j DROP`,
    `-d ${address}/32 ! -i lo -p udp -j DROP`,
  ]);
}

/** Names are IPv4 alone. */
function redirectRules(program: Program, plan: NetnsPlan): readonly string[] {
  const names = namesIn(plan).map(dnat);
  const standIns = unique(plan.appPorts).map(
    (port) => `-d ${LOOPBACK_BLOCK} -p tcp -m tcp --dport ${port} -j DNAT --to-destination :${standInPort(port)}`,
  );
  const instances = instancesIn(plan, program === 'ip6tables').map(dnat);
  const rules = instances.length === 0 ? [] : [ownTraffic(plan), ...unique(instances)];
  return program === 'iptables' ? [...unique(names), ...standIns, ...rules] : rules;
}

function dnat({ from, to }: Redirect): string {
  const ipv6 = from.host.includes(':');
  const target = ipv6 ? `[${to.host}]:${to.port}` : `${to.host}:${to.port}`;
  return `-d ${from.host}/${ipv6 ? 128 : 32} -p tcp -m tcp --dport ${from.port} -j DNAT --to-destination ${target}`;
}

// By address and not by interface: what was redirected still shows the one that it would have left by.
function egressRules(program: Program, plan: NetnsPlan): readonly string[] {
  if (plan.denyEgress !== true) return [];
  return [
    ownTraffic(plan),
    `-d ${program === 'iptables' ? '127.0.0.0/8' : '::1/128'} -j RETURN`,
    '-m addrtype --dst-type LOCAL -j RETURN',
    ...['udp', 'tcp'].map((protocol) => `-p ${protocol} -m ${protocol} --dport 53 -j RETURN`),
    '-p tcp -m tcp --syn -j REJECT --reject-with tcp-reset',
    '-p udp -m conntrack --ctstate NEW -j REJECT',
  ];
}

function ownTraffic({ proxyUser = WEFT_USER }: NetnsPlan): string {
  return `-m owner --uid-owner ${proxyUser} -j RETURN`;
}

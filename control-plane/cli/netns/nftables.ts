// The rules as one table for `nft --file -`, IPv4 and IPv6 together: one transaction puts it in the place of the one before.
import { LOOPBACK_BLOCK, standInPort } from '../../../core/compile/loopback.ts';
import { instancesIn, namesIn, SIDECAR_PORTS, unique, WEFT_USER, type NetnsPlan, type Redirect } from './plan.ts';

/** Without effect where there is no such table. */
export const REMOVE = ['table inet weft', 'delete table inet weft', ''].join('\n');

export function tableText(plan: NetnsPlan): string {
  const chains = [
    chain('input_guard', 'type filter hook input priority filter - 10', [...guardRules(plan), ...sealRules(plan)]),
    // By number: old versions know `dstnat` for the hook of what comes in only.
    chain('output_names', 'type nat hook output priority -100', redirectRules(plan)),
    chain('output_egress', 'type filter hook output priority filter', egressRules(plan)),
  ];
  return `${REMOVE}table inet weft {\n${chains.join('')}}\n`;
}

function chain(name: string, hook: string, rules: readonly string[]): string {
  if (rules.length === 0) return '';
  return [`  chain ${name} {`, `    ${hook}; policy accept;`, ...rules.map((rule) => `    ${rule}`), '  }', ''].join(
    '\n',
  );
}

function guardRules({ appPorts }: NetnsPlan): readonly string[] {
  return appPorts.length === 0 ? [] : [`iifname != "lo" tcp dport ${set(unique(appPorts))} drop`];
}

// What the app began itself goes on: only new connections are dropped, told by their first segment.
function sealRules({ sealed = [] }: NetnsPlan): readonly string[] {
  if (sealed.length === 0) return [];
  const at = `ip daddr ${set(unique(sealed))}`;
  return [
    `${at} tcp dport ${set(SIDECAR_PORTS)} return`,
    `${at} iifname != "lo" tcp flags & (fin | syn | rst | ack) == syn drop`,
    `${at} iifname != "lo" meta l4proto udp drop`,
  ];
}

function redirectRules(plan: NetnsPlan): readonly string[] {
  const names = firstOf(namesIn(plan));
  const [ipv4, ipv6] = [firstOf(instancesIn(plan, false)), firstOf(instancesIn(plan, true))];
  return [
    ...(names.length === 0 ? [] : [`dnat ip to ip daddr . tcp dport map ${map(names)}`]),
    ...unique(plan.appPorts).map(
      (port) => `ip daddr ${LOOPBACK_BLOCK} tcp dport ${port} dnat to :${standInPort(port)}`,
    ),
    ...(ipv4.length + ipv6.length === 0 ? [] : [ownTraffic(plan)]),
    ...(ipv4.length === 0 ? [] : [`dnat ip to ip daddr . tcp dport map ${map(ipv4)}`]),
    ...(ipv6.length === 0 ? [] : [`dnat ip6 to ip6 daddr . tcp dport map ${map(ipv6)}`]),
  ];
}

function egressRules(plan: NetnsPlan): readonly string[] {
  if (plan.denyEgress !== true) return [];
  return [
    ownTraffic(plan),
    'fib daddr type local return',
    'meta l4proto { tcp, udp } th dport 53 return',
    'tcp flags & (fin | syn | rst | ack) == syn reject with tcp reset',
    'meta l4proto udp ct state new reject',
  ];
}

function ownTraffic({ proxyUser = WEFT_USER }: NetnsPlan): string {
  return `meta skuid ${proxyUser} return`;
}

/** A map takes no key twice; the first counts, as in a chain of rules. */
function firstOf(redirects: readonly Redirect[]): readonly Redirect[] {
  const seen = new Set<string>();
  return redirects.filter(({ from }) => {
    const key = `${from.host} ${from.port}`;
    return !seen.has(key) && seen.add(key);
  });
}

function map(redirects: readonly Redirect[]): string {
  return set(redirects.map(({ from, to }) => `${from.host} . ${from.port} : ${to.host} . ${to.port}`));
}

function set(values: readonly (string | number)[]): string {
  return `{ ${values.join(', ')} }`;
}

// Checks of the proxies: clocks, versions, certificates, whose configuration is old or refused, and what they could not do.
import { type Check, finding, type Finding, type ProxyFact } from './check-facts.ts';
import { agoWords } from './item-words.ts';

/** Milliseconds. A clock that is this far off makes certificates seem too young or too old; TLS allows for none. */
const SKEW = { warning: 5_000, error: 60_000 } as const;
/** Of SVIDs, which live for 72 h and are renewed after 24. */
const SVID_LEFT = { warning: 24 * 3_600_000, error: 3 * 3_600_000 } as const;

export const clocks: Check = {
  name: 'clocks',
  find: (facts) => {
    const { now, controlPlane, proxies } = facts;
    const found = proxies.flatMap((proxy) =>
      skewFinding(nameOf(proxy), proxy.word?.clockSkew ?? 0, 'the control plane'),
    );
    return [...skewFinding('the control plane', controlPlane.time - now, 'this machine'), ...found];
  },
  fine: ({ proxies }) => {
    const said = proxies.flatMap(({ word }) => word?.clockSkew ?? []).map(Math.abs);
    return said.length === 0 ? 'no proxy has told its time' : `at most ${Math.max(...said)} ms apart`;
  },
};

function skewFinding(who: string, skew: number, whom: string): readonly Finding[] {
  const off = Math.abs(skew);
  if (off < SKEW.warning) return [];
  const words = `the clock of ${who} is ${agoWords(off)} ${skew > 0 ? 'ahead of' : 'behind'} that of ${whom}`;
  const level = off < SKEW.error ? 'warning' : 'error';
  return [finding('clocks', level, words, 'certificates are judged by it: let NTP set it')];
}

export const versions: Check = {
  name: 'versions',
  find: ({ controlPlane, proxies }) =>
    proxies.flatMap((proxy) => versionFinding(proxy, controlPlane.version, nameOf(proxy))),
  fine: ({ controlPlane, proxies }) => {
    const others = new Set(proxies.map(({ program }) => program));
    others.delete(controlPlane.version);
    const also = others.size === 0 ? '' : `; proxies also of ${[...others].sort().join(', ')}`;
    return `${controlPlane.version}${also}`;
  },
};

function versionFinding({ program }: ProxyFact, ours: string, who: string): readonly Finding[] {
  const [theirs, own] = [numbersOf(program), numbersOf(ours)];
  if (theirs === null || own === null) {
    return [finding('versions', 'warning', `${who} is of version "${program}", which is none`, 'update it')];
  }
  const apart = theirs.major !== own.major || Math.abs(theirs.minor - own.minor) > 1;
  if (!apart) return [];
  const words = `${who} is of version ${program}, the control plane of ${ours}: more than one minor version apart`;
  const older = theirs.major < own.major || (theirs.major === own.major && theirs.minor < own.minor);
  return [finding('versions', 'error', words, older ? 'update the proxy' : 'update the control plane')];
}

function numbersOf(version: string): { readonly major: number; readonly minor: number } | null {
  const parts = /^(\d{1,6})\.(\d{1,6})\./.exec(version);
  return parts === null ? null : { major: Number(parts[1]), minor: Number(parts[2]) };
}

export const svids: Check = {
  name: 'certificates',
  find: ({ proxies, controlPlane }) => [
    ...endFinding('the control plane', controlPlane.notAfter - controlPlane.time, 'its log says why it is not'),
    ...proxies.flatMap((proxy) => {
      const remedy = 'its log says why it is not; a new join token lets it join again';
      return endFinding(nameOf(proxy), proxy.notAfter - controlPlane.time, remedy);
    }),
  ],
  fine: ({ proxies, controlPlane }) => {
    const first = Math.min(controlPlane.notAfter, ...proxies.map(({ notAfter }) => notAfter));
    return `those of control plane and proxies last for ${agoWords(first - controlPlane.time)} at least`;
  },
};

function endFinding(who: string, left: number, remedy: string): readonly Finding[] {
  if (left >= SVID_LEFT.warning) return [];
  const ends = left <= 0 ? `ended ${agoWords(-left)} ago` : `ends in ${agoWords(left)}`;
  const words = `the certificate of ${who} ${ends}, and should have been renewed`;
  return [finding('certificates', left < SVID_LEFT.error ? 'error' : 'warning', words, remedy)];
}

/** Old is what a proxy runs on its own, or what it chose to keep. */
export const views: Check = {
  name: 'views',
  find: ({ proxies, known }) => proxies.flatMap((proxy) => viewFindings(proxy, known?.hash ?? null)),
  fine: ({ proxies, known }) =>
    proxies.length === 0
      ? 'no proxy is connected'
      : `${count(proxies.length, 'proxy runs', 'proxies run')} ${known?.hash ?? 'nothing'}`,
};

function viewFindings(proxy: ProxyFact, inForce: string | null): readonly Finding[] {
  const who = nameOf(proxy);
  const { refusal, snapshot, current, word } = proxy;
  if (refusal !== null) {
    const words = `${who} refused the configuration and runs ${snapshot ?? 'none'}: ${refusal.message} (${refusal.code})`;
    return [finding('views', 'error', words, 'mend it, or `weft rollback`')];
  }
  if (word?.viewOrigin === 'disk') {
    const words = `${who} runs a view from its disk, ${agoWords(word.viewAge)} old`;
    return [finding('views', 'warning', words, 'it has no view of this control plane yet: see its log')];
  }
  if (current) return [];
  const words = `${who} runs ${snapshot ?? 'no view of this control plane'}, in force is ${inForce ?? 'nothing'}`;
  return [finding('views', 'warning', words, 'if it stays so: its log says what it waits for')];
}

export const reachability: Check = {
  name: 'reachability',
  find: ({ proxies }) => [
    ...unreached(proxies),
    ...proxies.flatMap((proxy) =>
      (proxy.word?.unbound ?? []).map((address) =>
        finding('reachability', 'error', `${nameOf(proxy)} cannot listen on ${address}`, 'another program has it'),
      ),
    ),
  ],
  fine: ({ proxies }) =>
    proxies.some(({ word }) => word !== null) ? 'no proxy misses an instance' : 'no proxy has told whom it reaches',
};

/** By instance, with all who miss it. */
function unreached(proxies: readonly ProxyFact[]): readonly Finding[] {
  const missed = new Map<string, { readonly by: string[]; readonly reason: string }>();
  for (const proxy of proxies) {
    for (const { cluster, endpoint, reason } of proxy.word?.unreachable ?? []) {
      const key = `${endpoint} of ${cluster}`;
      const known = missed.get(key) ?? { by: [], reason };
      known.by.push(nameOf(proxy));
      missed.set(key, known);
    }
  }
  return [...missed].map(([key, { by, reason }]) => {
    const who = by.length <= 3 ? by.join(', ') : `${by.slice(0, 3).join(', ')} and ${by.length - 3} more`;
    const remedy = 'look at the network and the firewall between the two';
    return finding('reachability', 'error', `${key} cannot be reached by ${who}: ${reason}`, remedy);
  });
}

export const apps: Check = {
  name: 'apps',
  find: ({ proxies }) => proxies.flatMap(appFindings),
  fine: ({ proxies }) => {
    const probed = proxies.filter(({ word }) => word !== null && word.appHealth !== 'not-probed').length;
    return count(probed, "app answers its sidecar's probe", "apps answer their sidecars' probes");
  },
};

function appFindings(proxy: ProxyFact): readonly Finding[] {
  const { word, registered, drained, inboundPort } = proxy;
  if (word?.appHealth === 'down') {
    const words = `the app of ${nameOf(proxy)} is down: ${word.appHealthReason}`;
    return [finding('apps', 'error', words, 'callers are not sent there until it answers')];
  }
  if (word?.draining === true) {
    return [finding('apps', 'warning', `${nameOf(proxy)} drains: it takes no new calls`, 'it is being stopped')];
  }
  if (drained) {
    const words = `${nameOf(proxy)} was taken out by an operator`;
    return [finding('apps', 'warning', words, `\`weft drain --undo ${proxy.name}\` lets it back`)];
  }
  if (registered || inboundPort === 0) return [];
  const words = `callers are not told of ${nameOf(proxy)}`;
  return [finding('apps', 'warning', words, 'it has not taken its first view: its log says why')];
}

/** `orders-1 (orders)`; an instance that is called as its account is said once. */
function nameOf({ name, account }: ProxyFact): string {
  return name === account ? name : `${name} (${account})`;
}

export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

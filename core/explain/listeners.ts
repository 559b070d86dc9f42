// Which listener of which edge a client outside reaches with a URL: by its port where it names one, else by what serves it.
import { hostMatches, servedHosts } from '../decide/match.ts';
import { compilePassthrough } from '../decide/passthrough.ts';
import { hostOf } from '../decide/request-target.ts';
import { edgeAccount } from '../model/brand.ts';
import type { EdgeListenerResource } from '../model/view.ts';
import type { Step } from './explanation.ts';
import type { Known } from './known.ts';
import { placed } from './place.ts';
import type { AskedRequest } from './request.ts';
import { step } from './targets.ts';

export interface ChosenListener {
  /** null: none hears it. */
  readonly listener: EdgeListenerResource | null;
  readonly account: string;
  readonly first: Step;
}

const USUAL = { http: 80, https: 443, tcp: 0, tls: 0 } as const;

/** `from`: only of this edge's account. */
export function chooseListener(known: Known, request: AskedRequest, from: string | null): ChosenListener {
  const all = listenersOf(known, from);
  const heard = all.filter((listener) => hears(listener, request));
  const ranked = heard.toSorted((a, b) => rank(b, request) - rank(a, request));
  const [listener] = ranked;
  if (listener === undefined) return { listener: null, account: '', first: unheard(all, request) };
  const others = ranked.slice(1).filter((each) => serves(each, request));
  const notes = [
    ...portNote(listener, request),
    ...sizeNote(listener),
    ...others.map((each) => `${each.name} hears it too, on ${placeOf(each)}`).slice(0, 4),
  ];
  const words = `edge ${listener.edge}, ${placeOf(listener)}, ${kindOf(listener)}`;
  const first = step('listener', words, placed(known.locate, listener.ruleId), notes);
  return { listener, account: edgeAccount(listener.edge), first };
}

function listenersOf({ snapshot }: Known, from: string | null): readonly EdgeListenerResource[] {
  return [...snapshot.mesh.edges.keys()]
    .map((edge) => edgeAccount(edge))
    .filter((account) => from === null || account === from)
    .flatMap((account) => snapshot.accounts.get(account)?.listeners ?? [])
    .filter((listener) => listener.kind === 'edge');
}

function hears(listener: EdgeListenerResource, { scheme, port, method }: AskedRequest): boolean {
  if (port !== 0 && listener.port !== port && listener.port !== 0) return false;
  const bytes = listener.tcp.length > 0;
  if (scheme === 'tcp' || scheme === 'tls') return bytes && (listener.tls === null) === (scheme === 'tcp');
  // An edge is no proxy for its clients' own destinations.
  if (method === 'CONNECT') return false;
  return scheme === 'https' ? listener.tls !== null : listener.tls === null && !bytes;
}

function serves(listener: EdgeListenerResource, request: AskedRequest): boolean {
  return specificity(listener, request) > 0;
}

/** 0: not this host. 1: every host. 2: it is named. */
function specificity({ tls, tcp, hosts }: EdgeListenerResource, { scheme, host, authority }: AskedRequest): number {
  if (tls === 'passthrough') {
    return compilePassthrough(tcp.map(({ sni }) => ({ sni, value: true })))(host) === undefined ? 0 : 2;
  }
  // Without TLS nobody says a name to a listener of bytes.
  if (scheme === 'tcp') return 1;
  if (!hostMatches(servedHosts(hosts), tcp.length > 0 ? host : hostOf(authority))) return 0;
  return hosts.length === 0 ? 1 : 2;
}

/** Who has the very port goes before who has another; then who names the host. */
function rank(listener: EdgeListenerResource, request: AskedRequest): number {
  const port = request.port === 0 ? USUAL[request.scheme] : request.port;
  return (listener.port === port && port !== 0 ? 3 : 0) + specificity(listener, request);
}

function portNote({ port }: EdgeListenerResource, { scheme, port: asked }: AskedRequest): readonly string[] {
  if (asked !== 0 || port === USUAL[scheme] || port === 0) return [];
  return USUAL[scheme] === 0 ? [] : [`the URL names no port, which is ${USUAL[scheme]} to clients`];
}

function sizeNote({ limits: { bodySize } }: EdgeListenerResource): readonly string[] {
  return bodySize === 0 ? [] : [`a body of more than ${bodySize} bytes is refused with 413`];
}

function unheard(all: readonly EdgeListenerResource[], { scheme, host, port }: AskedRequest): Step {
  const words = `no edge hears ${scheme} ${port === 0 ? `for ${host}` : `on port ${port}`}`;
  const there = all.map((each) => `${each.name}: ${placeOf(each)}, ${kindOf(each)}`);
  const hint = all.length === 0 ? 'a call between services has --from SERVICE' : 'name a listener that is there';
  return { ...step('listener', words), notes: there.slice(0, 8), refused: { code: 'no-listener', status: 0, hint } };
}

function placeOf({ address, port }: EdgeListenerResource): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${host}:${port === 0 ? '(any port)' : port}`;
}

function kindOf({ tls, tcp, hosts }: EdgeListenerResource): string {
  if (tls === 'passthrough') return 'TLS passed through';
  if (tcp.length > 0) return 'TCP';
  const names = hosts.length === 0 ? 'every host' : hosts.join(', ');
  return `${tls === null ? 'plaintext' : 'TLS'}, ${names}`;
}

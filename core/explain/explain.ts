// `weft explain`: the way of one request through the mesh, by the functions with which proxies decide it, over the very
// views that they run. Nothing is decided here.
import { nearestName, suggestName } from '../config/nearest.ts';
import { identityOf } from '../compile/authorization.ts';
import { authorize, compileAuthorizer } from '../decide/authorize.ts';
import { calleesOf } from '../decide/callees.ts';
import { compileDestinations, type NoDestination } from '../decide/destination.ts';
import { compileMatcher, hostMatches, servedHosts } from '../decide/match.ts';
import { compilePassthrough } from '../decide/passthrough.ts';
import { RequestTarget } from '../decide/request-target.ts';
import { rewriteTarget } from '../decide/rewrite.ts';
import { err, ok, type Result } from '../kit/result.ts';
import type { EdgeListenerResource, OutboundListener, Route, TcpRoute, View } from '../model/view.ts';
import { chooseListener } from './listeners.ts';
import type { Explanation, Refusal, Step, TimeLimit } from './explanation.ts';
import { durationWords, matchWords } from './item-words.ts';
import { type Known, viewOf } from './known.ts';
import { alsoMatching, nearlyTaken } from './near-routes.ts';
import { NO_RULE, placed, placedExactly } from './place.ts';
import { type AskedRequest, headOf, type RequestProblem } from './request.ts';
import { sharesOfSplit } from './shares.ts';
import { closed, explainTarget, inboundOf, percent, refusal, step } from './targets.ts';
import { idleLimit, timeLimits } from './time-limits.ts';

/** `from`: the service that calls, or `edge-<name>`; null: a client outside, at whichever edge hears it. */
export function explainRequest(
  known: Known,
  request: AskedRequest,
  from: string | null,
): Result<Explanation, RequestProblem> {
  if (from !== null && !from.startsWith('edge-')) {
    const view = viewOf(known, from);
    return view === null ? err(unknownCaller(known, from)) : ok(fromService(known, request, from, view));
  }
  if (from !== null && viewOf(known, from) === null) return err(unknownCaller(known, from));
  return ok(fromOutside(known, request, from));
}

function unknownCaller({ snapshot }: Known, from: string): RequestProblem {
  const service = snapshot.mesh.services.get(from);
  if (service?.kind === 'static') {
    return { message: `"${from}" is outside of the mesh: it has no proxy to call from`, hint: '' };
  }
  const near = nearestName(from, [...snapshot.accounts.keys()]);
  const hint = near === null ? 'a service, or edge-NAME' : `did you mean "${near}"?`;
  return { message: `"${from}" is no service of this configuration`, hint };
}

/** What has been found out so far. */
interface Path {
  readonly known: Known;
  readonly request: AskedRequest;
  readonly caller: string;
  readonly view: View;
  readonly steps: readonly Step[];
}

function fromOutside(known: Known, request: AskedRequest, from: string | null): Explanation {
  const { listener, account, first } = chooseListener(known, request, from);
  const view = listener === null ? null : viewOf(known, account);
  if (listener === null || view === null) return ended({ known, request, caller: '', steps: [] }, first);
  const path = { known, request, caller: account, view, steps: [first] };
  if (listener.tcp.length > 0) return bytesAtEdge(path, listener);
  return throughRoutes(path, (target) => {
    if (hostMatches(servedHosts(listener.hosts), target.host)) return { steps: [], table: listener.routes };
    const refused = refusal('no-route', `add it to hosts of ${listener.ruleId}`);
    return { ...step('route', `this listener does not serve ${target.host}`), refused };
  });
}

function bytesAtEdge(path: Path, listener: EdgeListenerResource): Explanation {
  const routes = listener.tcp.map((route) => ({ sni: route.sni, value: route }));
  const route = listener.tls === 'passthrough' ? compilePassthrough(routes)(path.request.host) : listener.tcp[0];
  if (route !== undefined) return throughBytes(path, route);
  const words = `no route for the name ${path.request.host} (SNI)`;
  const refused = closed(refusal('no-route', 'add a route with match: { sni: … }'));
  return ended(path, { ...step('route', words), refused });
}

function fromService(known: Known, request: AskedRequest, caller: string, view: View): Explanation {
  const path: Path = { known, request, caller, view, steps: [] };
  const callees = calleesOf(view, (listener) => listener);
  const destinations = compileDestinations(callees, { namespace: known.snapshot.mesh.namespace, self: caller });
  if (request.method === 'CONNECT' || request.scheme !== 'http') {
    const place = `${request.host}:${request.port === 0 ? USUAL_PORT[request.scheme] : request.port}`;
    const found = destinations.tunnel(place);
    if (!found.found) return ended(path, notCalled(path, place, found));
    const { tcp } = found.value;
    if (tcp === null) return ended(path, notInTunnel(found.value));
    return throughBytes({ ...path, steps: [destinationStep(path, found.value)] }, tcp);
  }
  return throughRoutes(path, () => {
    const listener = destinations.request(request.authority);
    if (listener === undefined) return notCalled(path, request.authority, destinations.why(request.authority));
    return { steps: [destinationStep(path, listener)], table: listener.routes };
  });
}

const USUAL_PORT = { http: 80, https: 443, tcp: 0, tls: 443 } as const;

function destinationStep({ known, caller }: Path, { name, service }: OutboundListener): Step {
  const calling = known.snapshot.mesh.services.get(caller);
  const call = calling?.kind === 'workload' ? calling.calls.find((each) => each.service === service) : undefined;
  const words = `${name.replace('outbound/', '')}, which ${caller} calls`;
  return step('destination', words, placed(known.locate, call?.ruleId ?? ''));
}

/** Its proxy does not know what else there is; here it is known. */
function notCalled({ known, caller }: Path, authority: string, why: NoDestination): Step {
  const meant = why.reason === 'not-called' ? meantBy(known, caller, authority) : undefined;
  const near =
    why.reason === 'not-called'
      ? suggestName(authority.split(':', 1)[0] ?? '', known.snapshot.mesh.services.keys())
      : '';
  const hint = meant === undefined ? near || why.hint : meant === caller ? OWN_APP : missingCall(known, caller, meant);
  const rule = placed(known.locate, `services.${caller}.calls`);
  return {
    ...step('destination', REASONS[why.reason](caller), rule),
    refused: refusal('egress-denied', hint),
  };
}

const OWN_APP = 'what a service does inside needs no mesh';

const REASONS: Readonly<Record<NoDestination['reason'], (caller: string) => string>> = {
  'not-called': (caller) => `${caller} does not call that`,
  'other-port': (caller) => `${caller} calls that at another port`,
  'this-machine': () => 'that is this machine, not the mesh',
};

/** What it takes to be let in there, in the words of the callee. */
function missingCall(known: Known, caller: string, service: string): string {
  const policy = inboundOf(known, service)?.policy;
  if (policy === undefined) return `add \`${service}\` to services.${caller}.calls`;
  return authorize(compileAuthorizer(policy), identityOf(known.snapshot.mesh, caller), '', '').hint;
}

/** The service that would be called, if all were. */
function meantBy({ snapshot }: Known, caller: string, authority: string): string | undefined {
  const outbound = [...snapshot.parts.services.values()].flatMap((part) => part.outbound);
  const listeners = new Map(outbound.map(({ listener }) => [listener.name, listener]));
  const callees = calleesOf(
    { listeners, clusters: new Map(), endpoints: new Map(), routes: new Map() },
    (each) => each,
  );
  const all = compileDestinations(callees, { namespace: snapshot.mesh.namespace, self: caller });
  const tunnel = all.tunnel(authority);
  return all.request(authority)?.service ?? (tunnel.found ? tunnel.value.service : undefined);
}

/** Inside of a tunnel a sidecar expects what the callee speaks. */
function notInTunnel({ service }: OutboundListener): Step {
  const words = `${service} is called in plain HTTP: mutual TLS is the sidecars' matter`;
  return { ...step('destination', words), refused: refusal('bad-request', 'write http://') };
}

/** By the table of routes that is meant, or refused: the last step. */
type FindTable = (target: RequestTarget) => { readonly steps: readonly Step[]; readonly table: string } | Step;

/** The path comes first: no proxy looks further at one that it must not pass on. */
function throughRoutes(path: Path, find: FindTable): Explanation {
  const { known, request, view } = path;
  const head = headOf(request, request.target);
  const target = new RequestTarget();
  if (!target.read(head)) {
    const refused = refusal('bad-request', 'see docs/http.md, "What is refused"');
    return ended(path, { ...step('path', `${request.target} is no path that may be passed on`), refused });
  }
  const normal = head.target === request.target ? [] : [step('path', `${head.target} is its normal form`)];
  const found = find(target);
  if (!('table' in found)) return ended({ ...path, steps: [...path.steps, ...normal] }, found);
  const at: Path = { ...path, steps: [...path.steps, ...normal, ...found.steps] };
  const routes = view.routes.get(found.table)?.routes ?? [];
  const route = compileMatcher(routes).match(target);
  if (route === null) return ended(at, notMatched(known, routes, target, found.table));
  return throughRoute(at, route, head.target, alsoMatching(routes, route, target, known.locate));
}

function notMatched({ locate }: Known, routes: readonly Route[], target: RequestTarget, table: string): Step {
  // The port of a callee that does not speak HTTP.
  if (table === '') {
    return { ...step('route', 'it speaks no HTTP there'), refused: refusal('no-route', 'ask with tcp://') };
  }
  const words = `none of ${routes.length} matches ${target.method} ${target.path}`;
  return { ...step('route', words, NO_RULE, nearlyTaken(routes, target, locate)), refused: refusal('no-route') };
}

function throughRoute(path: Path, route: Route, normal: string, notes: readonly string[]): Explanation {
  const { known, request, view } = path;
  const own = route.ruleId.startsWith('edges.');
  const sent = rewriteTarget(normal, route.rewrite);
  const routeStep = step('route', `${matchWords(route)}`, placed(known.locate, route.ruleId), notes);
  const to = route.split.flatMap(({ cluster }) => view.clusters.get(cluster) ?? []);
  const limits = timeLimits(
    route,
    { mesh: known.snapshot.mesh, locate: known.locate, route: own ? route.ruleId : '', to },
    headOf(request, '').headers,
  );
  const rewritten =
    route.rewrite === null
      ? []
      : [step('rewrite', `the app gets ${sent}`, placedExactly(known.locate, `${route.ruleId}.rewrite`, route.ruleId))];
  const steps = [...path.steps, ...(own ? [routeStep] : []), ...rewritten, limitsStep(limits)];
  return arrived({ ...path, steps }, route.split, { request, target: sent, limits });
}

function throughBytes(path: Path, route: TcpRoute): Explanation {
  const { known } = path;
  const words = route.sni.length === 0 ? 'every connection' : `the name (SNI) ${route.sni.join(' or ')}`;
  const own = route.ruleId.startsWith('edges.') ? [step('route', words, placed(known.locate, route.ruleId))] : [];
  const to = route.split.flatMap(({ cluster }) => path.view.clusters.get(cluster) ?? []);
  const limits = [idleLimit(route.idleTimeout, { mesh: known.snapshot.mesh, locate: known.locate, route: '', to })];
  const steps = [...path.steps, ...own, limitsStep(limits)];
  return arrived({ ...path, steps }, route.split, { request: null, target: '', limits });
}

const LIMIT_WORDS = {
  request: 'for the whole answer',
  perTry: 'until the answer of one try begins',
  idle: 'without a byte',
  'tunnel-idle': 'without a byte once it is upgraded',
  'grpc-timeout': 'as its caller says (grpc-timeout)',
} as const;

/** A limit that is none is not said, but for the one that people look for. */
function limitsStep(limits: readonly TimeLimit[]): Step {
  const words = limits
    .filter(({ ms, limit }) => ms > 0 || limit === 'request' || limit === 'idle')
    .map(({ limit, ms, rule, at }) => {
      const where = rule === '' ? '' : ` (${at === '' ? rule : at})`;
      return `${ms === 0 ? 'no limit' : durationWords(ms)} ${LIMIT_WORDS[limit]}${where}`;
    });
  return step('limits', words.join(', '));
}

interface Arriving {
  readonly request: AskedRequest | null;
  readonly target: string;
  readonly limits: readonly TimeLimit[];
}

function arrived(path: Path, split: Route['split'], { request, target, limits }: Arriving): Explanation {
  const { known, caller, view } = path;
  const shares = sharesOfSplit(split);
  const targets = split.map(({ cluster }, index) =>
    explainTarget(known, { request, target, caller, view }, cluster, shares[index] ?? 0),
  );
  const parts = targets.map(({ cluster, share }) => `${percent(share)} ${cluster}`);
  const steps = split.length === 1 ? path.steps : [...path.steps, step('split', parts.join(', '))];
  return { ...begun({ ...path, steps }, target), limits, targets };
}

function ended(path: Omit<Path, 'view'>, last: Step): Explanation {
  const refused: Refusal | null = last.refused;
  return { ...begun({ ...path, steps: [...path.steps, last] }, ''), refused };
}

function begun({ known, request, caller, steps }: Omit<Path, 'view'>, target: string): Explanation {
  const { method, url, authority } = request;
  return {
    snapshot: known.hash,
    request: { method, url, caller, authority, target },
    steps,
    limits: [],
    targets: [],
    refused: null,
  };
}

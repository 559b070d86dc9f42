// The far end of a request, cluster by cluster: who must prove what, whether the callee lets it in, which instances
// there are, and what happens where a try fails.
import { authorize, type AuthorizationDecision, authorizeConnection, compileAuthorizer } from '../decide/authorize.ts';
import { balancerOf, requestScore } from '../decide/balance.ts';
import { grpcForm } from '../decide/grpc.ts';
import { RequestTarget } from '../decide/request-target.ts';
import { decideRetry, type FailureKind, MAX_ATTEMPTS, REPLAY_BYTES, isIdempotent } from '../decide/retry.ts';
import { ERRORS, type ErrorCode } from '../kit/error-table.ts';
import { identityOf } from '../compile/authorization.ts';
import type { Cluster, Endpoint, InboundListener, View } from '../model/view.ts';
import type { ExplainedEndpoint, Refusal, RetryAnswer, Step, StepName, Target } from './explanation.ts';
import { durationWords, pathWords } from './item-words.ts';
import type { Known } from './known.ts';
import { NO_RULE, type Placed, placed, placedExactly } from './place.ts';
import { type AskedRequest, headOf } from './request.ts';
import { sharesOfEndpoints } from './shares.ts';

/** What arrives at the cluster. */
export interface Arrival {
  /** null: a connection of bytes. */
  readonly request: AskedRequest | null;
  /** Path and query as they are sent there. */
  readonly target: string;
  /** Account that calls. */
  readonly caller: string;
  readonly view: View;
}

export function explainTarget(known: Known, arrival: Arrival, name: string, share: number): Target {
  const cluster = arrival.view.clusters.get(name);
  if (cluster === undefined) return noCluster(name, share);
  const endpoints = endpointsOf(known, cluster, arrival.view);
  const inbound = cluster.kind === 'mesh' ? inboundOf(known, cluster.service) : null;
  const tried = arrival.request !== null && endpoints?.length !== 0;
  const retry = tried ? retryAnswers(arrival.request.method, endpoints) : [];
  const steps = [
    clusterStep(known, cluster, arrival),
    endpointsStep(known, cluster, endpoints),
    ...(tried ? [retryStep(arrival.request.method, retry)] : []),
    ...(inbound === null ? [] : calleeSteps(known, arrival, cluster, inbound)),
  ];
  const found = steps.find((each) => each.refused !== null)?.refused ?? null;
  const refused = found === null || arrival.request !== null ? found : closed(found);
  const balancer = balancerOf(cluster.balance, endpoints?.map(({ weight }) => weight) ?? []);
  return { cluster: name, share, steps, balancer, endpoints, retry, refused };
}

export function step(name: StepName, words: string, by: Placed = NO_RULE, notes: readonly string[] = []): Step {
  return { step: name, words, notes, ...by, refused: null };
}

export function refusal(code: ErrorCode, hint = ''): Refusal {
  return { code, status: ERRORS[code].http, hint };
}

/** A connection that is bytes gets no answer: it is closed. */
export function closed(refused: Refusal): Refusal {
  return { ...refused, status: 0 };
}

function noCluster(name: string, share: number): Target {
  const refused = refusal('no-cluster');
  const steps = [{ ...step('cluster', `there is no cluster ${name}`), refused }];
  return { cluster: name, share, steps, balancer: 'round-robin', endpoints: [], retry: [], refused };
}

function clusterStep({ locate }: Known, cluster: Cluster, arrival: Arrival): Step {
  const { kind, identity, protocol, connectTimeout, ruleId } = cluster;
  const how =
    kind === 'mesh'
      ? `mutual TLS to ${identity ?? ''}`
      : 'plaintext to endpoints outside of the mesh, which prove nothing';
  const words = `${protocol}, ${how}; ${durationWords(connectTimeout)} to connect`;
  return step('cluster', words, placed(locate, ruleId), grpcNotes(protocol, arrival));
}

/** A call needs what carries one, all the way. */
function grpcNotes(protocol: Cluster['protocol'], { request, caller }: Arrival): readonly string[] {
  const type = request === null ? undefined : headOf(request, '').headers.get('content-type');
  const form = type === undefined || request?.method !== 'POST' ? null : grpcForm(type);
  if (form === null) return [];
  if (protocol !== 'grpc') return [`a call of gRPC, while the service has protocol ${protocol}: write protocol: grpc`];
  if (form === 'grpc') return ['a call of gRPC: its client must speak HTTP/2'];
  return caller.startsWith('edge-') ? [`${form}: the edge makes it a call of gRPC`] : [];
}

function endpointsOf(known: Known, cluster: Cluster, view: View): readonly ExplainedEndpoint[] | null {
  if (cluster.kind === 'mesh' && known.instances === null) return null;
  const endpoints = view.endpoints.get(cluster.name)?.endpoints ?? [];
  const weights = endpoints.map(({ weight }) => weight);
  const balancer = balancerOf(cluster.balance, weights);
  const active = endpoints.map(({ id }) => known.active?.(cluster.name, id) ?? null);
  const shares = sharesOfEndpoints(
    balancer,
    weights,
    active.map((each) => each ?? 0),
  );
  return endpoints.map((endpoint, index) => {
    const { id, weight } = endpoint;
    const busy = active[index] ?? null;
    const score = busy === null || balancer !== 'least-request' ? null : requestScore(weight, busy);
    return { id, address: addressOf(endpoint), weight, active: busy, score, share: shares[index] ?? 0 };
  });
}

function addressOf({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const BALANCER_WORDS = {
  'least-request': 'the better of two drawn by chance, by requests in flight (least-request)',
  'smooth-weighted': 'in turn, by weight (round-robin)',
  'round-robin': 'in turn (round-robin)',
} as const;

function endpointsStep(known: Known, cluster: Cluster, endpoints: readonly ExplainedEndpoint[] | null): Step {
  const by = placedExactly(known.locate, `services.${cluster.service}.balance`);
  const how = BALANCER_WORDS[balancerOf(cluster.balance, endpoints?.map(({ weight }) => weight) ?? [])];
  if (endpoints === null) return step('endpoints', `${how}; which there are, a control plane knows`, by);
  if (endpoints.length === 0) {
    const refused = refusal(
      'no-endpoint',
      `start an instance of ${cluster.name}: \`weft get proxies\` says who is there`,
    );
    return { ...step('endpoints', 'there is no instance', placed(known.locate, cluster.ruleId)), refused };
  }
  const notes = endpoints.map((endpoint) => {
    const { id, address, active, score, share } = endpoint;
    const load = active === null ? '' : `, ${active} in flight${score === null ? '' : ` (score ${rounded(score)})`}`;
    const trouble = known.trouble?.(cluster.service, id) ?? null;
    return `${id === address ? '' : `${id} `}${address}${load}, ${percent(share)}${trouble === null ? '' : `; ${trouble}`}`;
  });
  return step('endpoints', endpoints.length === 1 ? 'one' : `${endpoints.length}: ${how}`, by, notes);
}

function rounded(score: number): number {
  return Math.round(score * 1_000) / 1_000;
}

/** `12.5 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 1_000) / 10} %`;
}

/** What the sidecars of a service accept; null: it is outside of the mesh, or has no port. */
export function inboundOf({ snapshot }: Known, service: string): InboundListener | null {
  const listeners = snapshot.accounts.get(service)?.listeners ?? [];
  return listeners.find((listener) => listener.kind === 'inbound') ?? null;
}

/** At the sidecar beside the app, which alone decides whether it is called. */
function calleeSteps(known: Known, arrival: Arrival, cluster: Cluster, inbound: InboundListener): readonly Step[] {
  const authorization = authorizationStep(known, arrival, inbound);
  return authorization.refused === null ? [authorization, appStep(known, cluster, inbound)] : [authorization];
}

function authorizationStep(known: Known, arrival: Arrival, inbound: InboundListener): Step {
  const { caller } = arrival;
  const decision = decide(known, arrival, inbound);
  if (decision === null) {
    const words = 'the path, as rewritten, is none';
    return { ...step('authorization', words), refused: refusal('bad-request', 'see `rewrite`') };
  }
  const by = placed(known.locate, decision.ruleId);
  if (decision.allowed) return step('authorization', `${caller} may call ${inbound.service}`, by);
  const words = `${caller} may not call ${inbound.service} like this`;
  return { ...step('authorization', words, by, admitted(known, inbound)), refused: refusal('denied', decision.hint) };
}

const MOST_RULES = 5;

/** Who may call it, rule by rule. */
function admitted({ locate }: Known, { service, policy: { allow, callers } }: InboundListener): readonly string[] {
  const accounts = (identities: readonly string[]): string =>
    identities.map((identity) => identity.slice(identity.lastIndexOf('/') + 1)).join(', ') || 'nobody';
  if (allow === null)
    return [`${service} has no allow: it admits who calls it, ${accounts(callers.map((each) => each.identity))}`];
  const rules = allow.map(({ from, methods, paths, ruleId }) => {
    const what = [methods.join(','), paths.map(pathWords).join(', ')].filter((part) => part !== '').join(' ');
    const { at } = placed(locate, ruleId);
    return `${accounts(from)} may${what === '' ? '' : `: ${what}`} (${at === '' ? ruleId : at})`;
  });
  if (rules.length === 0) return [`${service} admits nobody`];
  return rules.length <= MOST_RULES
    ? rules
    : [...rules.slice(0, MOST_RULES), `and ${rules.length - MOST_RULES} rules more`];
}

/** As the sidecar beside the app does; null: it takes the path for none. */
function decide(
  known: Known,
  { request, target, caller }: Arrival,
  inbound: InboundListener,
): AuthorizationDecision | null {
  const authorizer = compileAuthorizer(inbound.policy);
  const peer = identityOf(known.snapshot.mesh, caller);
  if (request === null) return authorizeConnection(authorizer, peer);
  const read = new RequestTarget();
  return read.read(headOf(request, target)) ? authorize(authorizer, peer, request.method, read.path) : null;
}

function appStep({ locate }: Known, { port: name }: Cluster, inbound: InboundListener): Step {
  const further = inbound.ports.find((each) => each.name === name);
  const { port, protocol } = further ?? { port: inbound.appPort, protocol: inbound.protocol };
  const limit = protocol === 'tcp' ? '' : `; its sidecar waits ${waitWords(inbound.timeout)}`;
  return step('app', `${protocol} on port ${port}${limit}`, placed(locate, inbound.ruleId));
}

function waitWords(ms: number): string {
  return ms === 0 ? 'as long as it takes' : durationWords(ms);
}

const FAILURES: readonly FailureKind[] = ['connect', 'lost-before-response', 'other'];

/** Of the first try. Instances that nobody was asked about are taken for several. */
function retryAnswers(method: string, endpoints: readonly ExplainedEndpoint[] | null): readonly RetryAnswer[] {
  return FAILURES.map((failure) => {
    const { retry, reason } = decideRetry({
      attempts: 1,
      method,
      failure,
      responseBegan: false,
      bodyReplayable: true,
      alternative: endpoints === null || endpoints.length > 1,
    });
    return { after: failure, again: retry, reason };
  });
}

function retryStep(method: string, answers: readonly RetryAnswer[]): Step {
  const again = (kind: FailureKind): boolean => answers.some(({ after, again: yes }) => after === kind && yes);
  const words = [
    again('connect') ? 'again at another instance where no app got it' : 'no other instance to try again at',
    again('lost-before-response')
      ? `and where it was lost before an answer began (${method} may be done twice)`
      : isIdempotent(method)
        ? 'again where a kept connection was just being closed'
        : `not where an app may have got it (${method} may not be done twice)`,
  ];
  return step('retry', `${words.join(', ')}; ${MAX_ATTEMPTS} tries at most`, NO_RULE, [
    `never once an answer has begun, nor once more than ${REPLAY_BYTES / 1_024} KiB of a body are sent`,
  ]);
}

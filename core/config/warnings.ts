// What is valid but can hardly be meant; looked for only where nothing is wrong.
import { findAmbiguities } from '../decide/ambiguity.ts';
import { targetsOfEdge } from '../compile/edge-targets.ts';
import { edgeAccount, milliseconds, type RuleId } from '../model/brand.ts';
import type { Call, Edge, Mesh, Service, SourceMap } from '../model/mesh.ts';
import { listenersClash } from './edges.ts';
import { quote, type ConfigError } from './problem.ts';

const MOST_ROUTES_COMPARED = 1000;

export function findWarnings(mesh: Mesh, sources: SourceMap): readonly ConfigError[] {
  const callers = callersOf(mesh);
  const warnings: ConfigError[] = [];
  const warn = (rule: RuleId, message: string, hint: string) => {
    const position = sources.get(rule) ?? { file: '', line: 1, column: 1 };
    warnings.push({ ...position, path: rule, message, hint, severity: 'warning' });
  };
  for (const service of mesh.services.values()) {
    warnAboutService(service, mesh, callers.get(service.name), warn);
    if (service.kind === 'workload') for (const call of service.calls) warnAboutCall(call, service.name, mesh, warn);
  }
  for (const edge of mesh.edges.values()) {
    const asks = targetsOfEdge(edge).flatMap(({ to, ruleId }) => to.map(({ service }) => ({ service, ruleId })));
    // Once per service, at the first route that leads there.
    for (const call of new Map(asks.toReversed().map((ask) => [ask.service, ask])).values()) {
      warnAboutCall(call, edgeAccount(edge.name), mesh, warn);
    }
  }
  warnAboutListeners(mesh, warn);
  for (const edge of mesh.edges.values()) warnAboutRoutes(edge, warn);
  return warnings;
}

type Warn = (rule: RuleId, message: string, hint: string) => void;

/** Service → accounts that call it. */
function callersOf(mesh: Mesh): ReadonlyMap<string, ReadonlySet<string>> {
  const callers = new Map<string, Set<string>>();
  const add = (callee: string, account: string) => {
    const set = callers.get(callee) ?? new Set();
    callers.set(callee, set.add(account));
  };
  for (const service of mesh.services.values()) {
    if (service.kind === 'workload') for (const call of service.calls) add(call.service, service.name);
  }
  for (const edge of mesh.edges.values()) {
    for (const { to } of targetsOfEdge(edge)) for (const target of to) add(target.service, edgeAccount(edge.name));
  }
  return callers;
}

function warnAboutService(service: Service, mesh: Mesh, callers: ReadonlySet<string> | undefined, warn: Warn): void {
  if (service.kind === 'static' || service.port !== null) {
    if (callers === undefined) {
      warn(service.ruleId, `nobody calls ${quote(service.name)}`, 'name it in calls or in a route, or remove it');
    }
  } else if (service.run === null && service.calls.length === 0) {
    warn(service.ruleId, `${quote(service.name)} has no port, no run and no calls: it does nothing`, 'give it a port');
  }
  if (service.kind === 'static') return;
  if (service.allow === null) {
    if (mesh.authorization === 'explicit' && callers !== undefined) {
      const message = `${quote(service.name)} has no allow, so mesh.authorization: explicit lets nobody call it`;
      warn(service.ruleId, message, `add allow: [{ from: ${[...callers].join(', ')} }]`);
    }
    return;
  }
  if (service.port === null && service.allow.length > 0) {
    warn(service.ruleId, `${quote(service.name)} has no port, so its allow has no effect`, 'give it a port');
  }
  for (const rule of service.allow) {
    for (const account of rule.from) {
      if (callers?.has(account)) continue;
      const hint = account.startsWith('edge-') ? 'add a route to it' : `add it to services.${account}.calls`;
      warn(rule.ruleId, `${quote(account)} is allowed but does not call ${quote(service.name)}`, hint);
    }
  }
}

/** Asked for, but never granted: every request would be answered with 403. */
function warnAboutCall(call: Call, caller: string, mesh: Mesh, warn: Warn): void {
  const callee = mesh.services.get(call.service);
  if (callee?.kind !== 'workload' || callee.allow === null) return;
  if (callee.allow.some((rule) => rule.from.includes(caller))) return;
  const message = `${quote(callee.name)} has an allow that never lets ${quote(caller)} in`;
  warn(call.ruleId, message, `add ${caller} to services.${callee.name}.allow, or remove the call`);
}

function warnAboutRoutes(edge: Edge, warn: Warn): void {
  // Every pair is compared.
  if (edge.routes.length > MOST_ROUTES_COMPARED) return;
  const routes = edge.routes.map(({ ruleId, match }) => ({
    ruleId,
    match,
    split: [],
    rewrite: null,
    timeout: milliseconds(0),
    perTryTimeout: milliseconds(0),
    idleTimeout: null,
  }));
  const found = findAmbiguities(routes);
  const shadowed = new Set(found.filter(({ kind }) => kind === 'shadowed').map(({ other }) => other));
  for (const { kind, first, other } of found) {
    if (kind === 'overlap' && shadowed.has(other)) continue;
    if (kind === 'shadowed') {
      warn(
        other.ruleId,
        `never chosen: ${first.ruleId} takes all of its requests`,
        'make it more specific or remove it',
      );
    } else {
      const message = `${first.ruleId} matches some of its requests too and goes first`;
      warn(other.ruleId, message, 'only their order decides: make one more specific');
    }
  }
}

/** Two edges may run on two machines, so this is no error. */
function warnAboutListeners(mesh: Mesh, warn: Warn): void {
  const edges = [...mesh.edges.values()];
  edges.forEach((edge, index) => {
    for (const listener of edge.listeners) {
      const others = edges.slice(0, index).flatMap((each) => each.listeners);
      const other = others.find((each) => listenersClash(each, listener));
      if (other === undefined) continue;
      const message = `${listener.address} port ${listener.port} is also that of ${other.ruleId}`;
      warn(listener.ruleId, message, 'they cannot run on one machine');
    }
  });
}

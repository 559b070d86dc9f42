// What operators can ask one proxy: on its Unix socket its whole state, on the status port only whether
// it lives and is ready. No page shows a key, a token or a body.
import type { RuleId, SnapshotHash, SpiffeId } from '../../core/model/brand.ts';
import type { View } from '../../core/model/view.ts';
import { type Handlers, json, text } from '../../host/admin.ts';

/** Everything that keeps a proxy from being ready, in words; empty: it is ready. `proxy`: apart from its app. */
export type Unready = (of: 'proxy' | 'all') => readonly string[];

/** What else a probe is told, ready or not. */
export type Notes = () => Readonly<Record<string, unknown>>;

export interface EndpointFacts {
  readonly id: string;
  readonly address: string;
  /** Requests in flight. */
  readonly active: number;
  /** Connections without a request. */
  readonly idle: number;
  /** Requests that wait for a connection. */
  readonly pending: number;
  /** Milliseconds of idleness up to which a connection is used again. */
  readonly idleLimit: number;
  /** Since this proxy knows it: connections opened and failed, requests refused as too many. */
  readonly opened: number;
  readonly failed: number;
  readonly overflow: number;
  /** Why the last try to connect failed; '': it did not. */
  readonly unreachable: string;
}

export interface DecisionFacts {
  readonly id: string;
  readonly at: number;
  readonly rule: RuleId;
  readonly peer: SpiffeId | null;
  readonly method: string;
  readonly path: string;
  readonly hint: string;
  readonly snapshot: SnapshotHash;
}

export interface AdminSources {
  readonly unready: Unready;
  readonly notes: Notes;
  view(): View | null;
  clusters(): Readonly<Record<string, readonly EndpointFacts[]>>;
  /** Newest first. */
  decisions(limit: number): readonly DecisionFacts[];
  decision(id: string): DecisionFacts | null;
  /** `FROM=TO` for `weft netns --transparent`. */
  redirects(): readonly string[];
  /** Requests, errors and connections as they are counted. */
  stats(): unknown;
  /** Identity, listeners, control plane: one level of plain facts. */
  facts(): Readonly<Record<string, unknown>>;
}

const MOST_DECISIONS = 4_096;
const DEFAULT_DECISIONS = 100;

export function adminPages(sources: AdminSources): Handlers {
  return {
    '/ready': (query) => readyPage(sources.unready, sources.notes, query),
    '/config': () => json(plain({ ...sources.facts(), view: sources.view() })),
    '/clusters': () => json(sources.clusters()),
    '/decisions': (query) => decisionsPage(sources, query),
    '/stats': () => json(sources.stats()),
    '/redirects': () => json({ user: process.getuid?.() ?? 0, redirects: sources.redirects() }),
  };
}

export function statusPages(unready: Unready, notes: Notes): Handlers {
  return {
    // Alive is whoever can answer; a proxy without a view is alive and not ready.
    '/healthz': () => text('ok'),
    '/readyz': (query) => readyPage(unready, notes, query),
    '/ready': (query) => readyPage(unready, notes, query),
  };
}

/** `?of=proxy`: for who starts the app once its proxy is ready. */
function readyPage(unready: Unready, notes: Notes, query: URLSearchParams): ReturnType<typeof json> {
  const missing = unready(query.get('of') === 'proxy' ? 'proxy' : 'all');
  return missing.length === 0 ? json({ ready: true, ...notes() }) : json({ ready: false, missing, ...notes() }, 503);
}

function decisionsPage(sources: AdminSources, query: URLSearchParams): ReturnType<typeof json> {
  const id = query.get('id');
  if (id !== null) {
    const decision = sources.decision(id);
    return decision === null ? json({ error: 'no such decision, or no longer kept' }, 404) : json(decision);
  }
  const limit = Number(query.get('limit') ?? DEFAULT_DECISIONS);
  return json(
    sources.decisions(Number.isInteger(limit) && limit > 0 ? Math.min(limit, MOST_DECISIONS) : DEFAULT_DECISIONS),
  );
}

/** Maps become objects, as JSON knows none. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}

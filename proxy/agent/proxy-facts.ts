// What a proxy can say of itself to the control plane, apart from what the agent knows, and the words of a status that
// decide when it is sent again.
import type { StatusWords } from '../../core/decide/status-timing.ts';
import type { AppFacts } from '../../core/model/health.ts';
import type { ProxyStatus } from '../../proto/gen/weft/v1/ProxyStatus.ts';
import type { AgentState } from './agent.ts';

export interface UnreachableEndpoint {
  readonly cluster: string;
  /** Id of the instance. */
  readonly endpoint: string;
  readonly reason: string;
}

export interface ProxyFacts {
  readonly certificate: {
    /** Hex, lower case. */
    readonly serial: string;
    /** Milliseconds since 1970. */
    readonly notAfter: number;
  };
  /** Null: there is none to ask, as beside an edge or a job. */
  readonly app: AppFacts | null;
  /** Requests that are being forwarded now. */
  readonly inFlight: number;
  /** Since the proxy began. */
  readonly requests: number;
  readonly unbound: readonly string[];
  readonly unreachable: readonly UnreachableEndpoint[];
  /** Resident, in bytes. */
  readonly memory: number;
}

/** Where they come from. */
export interface FactSource {
  /** Gets them up to date; never rejects. */
  refresh(): Promise<void>;
  read(): ProxyFacts;
}

/** What is said beyond the facts. */
export interface StatusContext extends Pick<AgentState, 'snapshot' | 'origin' | 'age'> {
  readonly draining: boolean;
  readonly requestsPerSecond: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Neither list nor word may make a status large. */
const MOST_ENTRIES = 100;
const MOST_CHARACTERS = 500;

export function statusOf(facts: ProxyFacts, context: StatusContext): ProxyStatus {
  const { snapshot, origin, age, draining, requestsPerSecond, now } = context;
  return {
    snapshot: snapshot ?? '',
    viewOrigin: origin === null ? 'VIEW_ORIGIN_UNSPECIFIED' : ORIGINS[origin],
    viewAgeSeconds: Math.round((age ?? 0) / 1_000),
    certificateSerial: facts.certificate.serial,
    certificateNotAfter: Math.floor(facts.certificate.notAfter / 1_000),
    appHealth: facts.app === null ? 'APP_HEALTH_UNSPECIFIED' : HEALTH[facts.app.health],
    appHealthReason: short(facts.app?.reason ?? ''),
    inFlight: facts.inFlight,
    requestsPerSecond,
    draining,
    clockMs: now,
    unbound: facts.unbound.slice(0, MOST_ENTRIES).map(short),
    unreachable: facts.unreachable
      .slice(0, MOST_ENTRIES)
      .map(({ cluster, endpoint, reason }) => ({ cluster, endpoint, reason: short(reason) })),
    memoryBytes: facts.memory,
  };
}

/** The snapshot is not among them: the control plane knows it by the ACK. */
export function wordsOf(status: ProxyStatus): StatusWords {
  const { draining, appHealth, appHealthReason, viewOrigin, certificateSerial, unbound, unreachable } = status;
  return {
    urgent: `${draining} ${appHealth}`,
    state: JSON.stringify([appHealthReason, viewOrigin, certificateSerial, unbound, unreachable]),
    load: `${status.inFlight} ${status.requestsPerSecond}`,
  };
}

const ORIGINS = { 'control-plane': 'VIEW_ORIGIN_STREAM', disk: 'VIEW_ORIGIN_DISK' } as const;
const HEALTH = { up: 'APP_HEALTH_UP', down: 'APP_HEALTH_DOWN' } as const;

function short(text: string): string {
  return text.slice(0, MOST_CHARACTERS);
}

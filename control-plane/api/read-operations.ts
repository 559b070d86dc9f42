// The operations that change nothing: lists and single items of what the control plane knows, the configuration in force,
// the audit log, and the control plane itself.
import { Type, type TSchema } from 'typebox';
import {
  AUDIT,
  CERTIFICATE,
  CONFIG,
  DECISIONS,
  PROXY,
  ROUTE,
  SERVICE,
  SNAPSHOT,
  STATUS,
  type ListName,
  type Lists,
} from './contract.ts';
import { orNull, record, text } from './contract-parts.ts';
import type { ApiFacts } from './facts.ts';
import { auditItem, certificatesOf, proxiesOf, snapshotsOf, statusOf } from './items.ts';
import { routesOf, servicesOf } from './mesh-items.ts';
import {
  done,
  notFound,
  problem,
  type Call,
  type Operation,
  type Outcome,
  type QueryField,
  type WatchedName,
} from './operation.ts';

interface Kind {
  readonly one: string;
  readonly schema: TSchema;
  readonly summary: string;
}

const KINDS: Readonly<Record<WatchedName, Kind>> = {
  proxies: { one: 'proxy', schema: PROXY, summary: 'Every proxy with an open stream.' },
  services: { one: 'service', schema: SERVICE, summary: 'Every service and where its instances are.' },
  routes: { one: 'route', schema: ROUTE, summary: 'Every route of every edge.' },
  certificates: { one: 'certificate', schema: CERTIFICATE, summary: 'Every certificate that has not expired.' },
  snapshots: { one: 'snapshot', schema: SNAPSHOT, summary: 'The configurations of the history, newest first.' },
};

const WATCHED = ['proxies', 'services', 'routes', 'certificates', 'snapshots'] as const;

export type ItemsOf = { readonly [Name in WatchedName]: (facts: ApiFacts) => readonly Lists[Name][] };

export const ITEMS: ItemsOf = {
  proxies: proxiesOf,
  services: servicesOf,
  routes: routesOf,
  certificates: certificatesOf,
  snapshots: snapshotsOf,
};

const PLAIN = {
  method: 'GET',
  role: 'reader',
  query: [],
  body: null,
  conditional: false,
  status: 200,
  problems: [],
  watched: null,
} as const;

const WATCH: QueryField = {
  name: 'watch',
  schema: Type.Boolean(),
  description:
    'Answer with lines of JSON (application/x-ndjson) that go on: every item, then `synced`, then what changes. What a reader is too slow for is left out, and only the newest state sent.',
};

export function readOperations(facts: ApiFacts): readonly Operation[] {
  return [
    {
      ...PLAIN,
      ...{ id: 'getStatus', path: '/v1/status', summary: 'The control plane itself.', answer: STATUS },
      run: ({ caller }) => done(statusOf(facts, caller), facts.snapshots.snapshot?.hash ?? null),
    },
    ...WATCHED.flatMap((name) => [listOperation(facts, name), itemOperation(facts, name)]),
    {
      ...PLAIN,
      ...{ id: 'getConfig', path: '/v1/config', summary: 'The configuration in force, as files.', answer: CONFIG },
      problems: ['not-found'],
      run: () => {
        const inForce = facts.changes.inForce();
        return inForce === null ? problem('not-found', 'nothing is in force yet') : done(inForce, inForce.snapshot);
      },
    },
    {
      ...PLAIN,
      ...{ id: 'getDecisions', path: '/v1/proxies/{name}/decisions', answer: DECISIONS },
      summary: 'What a proxy has denied of late: it is asked at once.',
      problems: ['not-found', 'timeout'],
      query: [
        {
          name: 'id',
          schema: Type.String({ maxLength: MOST_ID }),
          description: 'Of one denial, as its caller was given it.',
        },
        limitField(MOST_DECISIONS),
      ],
      run: (call) => decisions(facts, call),
    },
    {
      ...PLAIN,
      ...{ id: 'listAudit', path: '/v1/audit', summary: 'Who changed what, newest first.', answer: listOf(AUDIT) },
      query: [limitField(MOST_AUDIT)],
      run: (call) => audit(facts, call),
    },
  ];
}

function listOperation(facts: ApiFacts, name: WatchedName): Operation {
  const { schema, summary } = KINDS[name];
  return {
    ...PLAIN,
    ...{ id: `list${capital(name)}`, path: `/v1/${name}`, summary, answer: listOf(schema) },
    ...{ query: [WATCH], watched: name },
    run: () => done(list(facts, ITEMS[name](facts))),
  };
}

function itemOperation(facts: ApiFacts, name: WatchedName): Operation {
  const { one, schema } = KINDS[name];
  const known = (): readonly Lists[WatchedName][] => ITEMS[name](facts);
  return {
    ...PLAIN,
    ...{ id: `get${capital(one)}`, path: `/v1/${name}/{name}`, summary: `One ${one}.`, answer: schema },
    problems: ['not-found'],
    run: (call) => {
      const items = known();
      const found = items.find((item) => item.name === call.name);
      if (found !== undefined) return done(found);
      return notFound(
        name,
        one,
        call.name,
        items.map((item) => item.name),
      );
    },
  };
}

const MOST_AUDIT = 1_000;
const MOST_DECISIONS = 1_000;
/** Characters of the id of a denial. */
const MOST_ID = 256;

function limitField(most: number): QueryField {
  const schema = Type.Integer({ minimum: 1, maximum: most, default: 100 });
  return { name: 'limit', schema, description: 'At most so many.' };
}

/** null: it is none, or out of bounds. */
function limitOf(query: URLSearchParams, most: number): number | null {
  const limit = Number(query.get('limit') ?? '100');
  return Number.isInteger(limit) && limit >= 1 && limit <= most ? limit : null;
}

function badLimit(most: number): Outcome {
  return problem('bad-request', `limit is a whole number from 1 to ${most}`);
}

async function decisions(facts: ApiFacts, { name, query }: Call): Promise<Outcome> {
  const limit = limitOf(query, MOST_DECISIONS);
  if (limit === null) return badLimit(MOST_DECISIONS);
  const requestId = query.get('id') ?? '';
  if (requestId.length > MOST_ID) return problem('bad-request', `an id has at most ${MOST_ID} characters`);
  const known = facts.proxies().map(({ instance }) => instance);
  if (!known.includes(name)) return notFound('proxies', 'proxy', name, known);
  const answer = await facts.ask(name, { requestId, limit });
  return answer.ok
    ? done({ instance: name, decisions: answer.value })
    : problem('timeout', `${name} does not tell what it has decided: ${answer.error}`);
}

async function audit(facts: ApiFacts, { query }: Call): Promise<Outcome> {
  const limit = limitOf(query, MOST_AUDIT);
  if (limit === null) return badLimit(MOST_AUDIT);
  const lines = await facts.changes.audit(limit);
  return done(
    list(
      facts,
      lines.flatMap((line) => auditItem(line) ?? []),
    ),
  );
}

function list(facts: ApiFacts, items: readonly Lists[ListName][]) {
  return { snapshot: facts.snapshots.snapshot?.hash ?? null, items };
}

function listOf(schema: TSchema): TSchema {
  const snapshot = orNull(text('Hash of the configuration in force; null: none yet.'));
  return record({ snapshot, items: Type.Array(schema) });
}

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

// The API as an OpenAPI 3.1 document, made of the operations that the server routes by.
import { Type, type TSchema } from 'typebox';
import { ROLES } from '../../certs/policy/operator.ts';
import { VERSION } from '../../host/version.ts';
import { CHANGE, PROBLEM } from './contract-changes.ts';
import { AUDIT, CERTIFICATE, PROXY, ROUTE, SERVICE, SNAPSHOT } from './contract.ts';
import { COMMON_PROBLEMS, PROBLEM_STATUS, type Operation } from './operation.ts';

export const OPENAPI_PATH = '/v1/openapi.json';

export function openApiOf(operations: readonly Operation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const methods = (paths[operation.path] ??= {});
    methods[operation.method.toLowerCase()] = operationObject(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Weft control plane',
      version: VERSION,
      description:
        'Over the Unix socket `api.sock` in the state folder, or over mutual TLS 1.3 with a certificate of `weft ca issue --operator`. ' +
        `Roles: ${ROLES.join(', ')}; each may do what those before it may.`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: withRefs(paths),
    components: {
      schemas: NAMED,
      responses: {
        Problem: { description: 'Refused or failed; `kind` says how.', content: withRefs(json(PROBLEM)) },
      },
      securitySchemes: { operator: { type: 'mutualTLS', description: 'A certificate of an operator.' } },
    },
    security: [{ operator: [] }],
  };
}

/** Schemas that have a name of their own. */
const NAMED: Readonly<Record<string, TSchema>> = {
  Audit: AUDIT,
  Certificate: CERTIFICATE,
  Change: CHANGE,
  Problem: PROBLEM,
  Proxy: PROXY,
  Route: ROUTE,
  Service: SERVICE,
  Snapshot: SNAPSHOT,
};

/** The same value, with a reference in place of each schema that has a name. */
function withRefs(value: unknown): unknown {
  const names = new Map(Object.entries(NAMED).map(([name, schema]) => [JSON.stringify(schema), name]));
  const walk = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(walk);
    if (typeof each !== 'object' || each === null) return each;
    const name = names.get(JSON.stringify(each));
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
    return Object.fromEntries(Object.entries(each).map(([key, field]) => [key, walk(field)]));
  };
  return walk(value);
}

function operationObject(operation: Operation): object {
  const { id, summary, role, body, answer, status, conditional } = operation;
  return {
    operationId: id,
    summary,
    'x-role': role,
    'x-problems': [...COMMON_PROBLEMS, ...operation.problems],
    parameters: parametersOf(operation),
    ...(body === null ? {} : { requestBody: { required: true, content: json(body) } }),
    responses: {
      [status]: {
        description: summary,
        content: { ...json(answer), ...(operation.watched === null ? {} : watched(answer)) },
        ...(conditional ? { headers: { ETag: { schema: Type.String(), description: TAG } } } : {}),
      },
      ...problemsOf(operation),
    },
  };
}

const TAG = 'Hash of the snapshot, in quotes.';

function parametersOf({ path, query, conditional }: Operation): readonly object[] {
  return [
    ...(path.includes('{name}') ? [{ name: 'name', in: 'path', required: true, schema: Type.String() }] : []),
    ...query.map(({ name, schema, description }) => ({ name, in: 'query', required: false, schema, description })),
    ...(conditional
      ? [
          {
            ...{ name: 'If-Match', in: 'header', required: false, schema: Type.String() },
            description: `${TAG} Nothing is changed where another is in force.`,
          },
        ]
      : []),
  ];
}

/** By status: several kinds may share one. */
function problemsOf({ problems }: Operation): Record<string, object> {
  const statuses = new Set([...COMMON_PROBLEMS, ...problems].map((kind) => PROBLEM_STATUS[kind]));
  return Object.fromEntries([...statuses].map((status) => [status, { $ref: '#/components/responses/Problem' }]));
}

function json(schema: TSchema): object {
  return { 'application/json': { schema } };
}

/** One line each. */
function watched(list: TSchema): object {
  const item = 'properties' in list ? itemOf(list.properties) : Type.Unknown();
  const event = Type.Union([
    Type.Object({ type: Type.Literal('item'), item }),
    Type.Object({ type: Type.Literal('removed'), name: Type.String() }),
    Type.Object({ type: Type.Literal('synced'), snapshot: Type.Union([Type.String(), Type.Null()]) }),
    Type.Object({ type: Type.Literal('idle') }),
    Type.Object({ type: Type.Literal('end'), reason: Type.String() }),
  ]);
  return { 'application/x-ndjson': { schema: event } };
}

function itemOf(properties: unknown): TSchema {
  const items: unknown =
    typeof properties === 'object' && properties !== null && 'items' in properties ? properties.items : null;
  const item: unknown = typeof items === 'object' && items !== null && 'items' in items ? items.items : null;
  return typeof item === 'object' && item !== null ? item : Type.Unknown();
}

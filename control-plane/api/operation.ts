// What an operation of the API is: where it stands, who may ask for it, what it takes and what it answers. The server
// routes by these, and the OpenAPI description is made of them.
import type { TSchema } from 'typebox';
import type { Role } from '../../certs/policy/operator.ts';
import { suggestName } from '../../core/config/nearest.ts';
import type { Caller } from './caller.ts';
import type { Problem, ProblemKind } from './contract-changes.ts';
import type { ListName } from './contract.ts';

export interface Operation {
  /** Of OpenAPI: a verb and what it is about. */
  readonly id: string;
  readonly method: 'GET' | 'POST';
  /** `/v1/proxies/{name}`: a part in braces is one segment, decoded. */
  readonly path: string;
  readonly summary: string;
  readonly role: Role;
  /** Beside the part of the path; each is optional. */
  readonly query: readonly QueryField[];
  /** Schema of the body; null: it takes none. */
  readonly body: TSchema | null;
  /** It may carry `If-Match`. */
  readonly conditional: boolean;
  /** Schema of what it answers. */
  readonly answer: TSchema;
  readonly status: 200 | 202;
  /** Which problems it may have beside those of any operation. */
  readonly problems: readonly ProblemKind[];
  /** The list behind `?watch=true`; null: it cannot be watched. */
  readonly watched: WatchedName | null;
  readonly run: (call: Call) => Outcome | Promise<Outcome>;
}

/** The audit log is read from the disk. */
export type WatchedName = Exclude<ListName, 'audit'>;

export interface QueryField {
  readonly name: string;
  readonly schema: TSchema;
  readonly description: string;
}

export interface Call {
  readonly caller: Caller;
  /** The part of the path in braces; '' where there is none. */
  readonly name: string;
  readonly query: URLSearchParams;
  /** What the JSON says, and not checked; null where it takes none. */
  readonly body: unknown;
  /** Hash in `If-Match`; null: any. */
  readonly ifMatch: string | null;
}

export type Outcome =
  /** `tag`: the hash of the snapshot that the answer is of, for `ETag`. */
  { readonly ok: true; readonly value: object; readonly tag?: string | null } | Refusal;

export interface Refusal {
  readonly ok: false;
  readonly problem: Problem;
  /** The methods of a path, where another was asked for. */
  readonly allow?: string;
}

/** The HTTP status of every kind of problem. */
export const PROBLEM_STATUS: Readonly<Record<ProblemKind, number>> = {
  'bad-request': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  unknown: 404,
  method: 405,
  timeout: 504,
  stale: 412,
  conflict: 409,
  'too-large': 413,
  invalid: 422,
  failed: 500,
  unsupported: 501,
  busy: 503,
};

/** What any operation may answer. */
export const COMMON_PROBLEMS: readonly ProblemKind[] = [
  'bad-request',
  'unauthenticated',
  'forbidden',
  'failed',
  'busy',
];

export function done(value: object, tag: string | null = null): Outcome {
  return { ok: true, value, tag };
}

/** `known`: the names that there are. */
export function notFound(list: WatchedName, one: string, name: string, known: readonly string[]): Outcome {
  const hint = suggestName(name, known);
  return problem('not-found', `there is no ${one} "${name}"`, hint === '' ? `see \`weft get ${list}\`` : hint);
}

export function problem(kind: ProblemKind, message: string, hint = '', more: Partial<Problem> = {}): Refusal {
  return { ok: false, problem: { kind, message, hint, ...more } };
}

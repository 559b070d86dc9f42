// From a request's head to its answer: which operation it means, whether its caller may ask for it, and only then its body.
import { mayDo, type Role } from '../../certs/policy/operator.ts';
import { suggestName } from '../../core/config/nearest.ts';
import type { Log } from '../../core/kit/log.ts';
import { describeError } from '../../core/kit/error.ts';
import type { Caller } from './caller.ts';
import { problem, type Operation, type Outcome } from './operation.ts';

/** Of what a caller sent and is told of again. */
const MOST_SHOWN = 64;

export interface Asked {
  readonly method: string;
  /** With its query, as sent. */
  readonly url: string;
  readonly ifMatch: string | undefined;
  readonly contentType: string | undefined;
  /** null: it is too long, or broke off. */
  readonly body: () => Promise<string | null>;
}

export interface Found {
  readonly operation: Operation;
  readonly name: string;
  readonly query: URLSearchParams;
}

/** The operation, or why there is none for this caller. */
export function find(operations: readonly Operation[], { method, url }: Asked, caller: Caller): Found | Outcome {
  const [path = '', query = ''] = url.split('?', 2);
  const there = operations.flatMap((operation) => {
    const name = nameIn(operation.path, path);
    return name === null ? [] : [{ operation, name, query: new URLSearchParams(query) }];
  });
  if (there.length === 0) return problem('not-found', 'there is no such path', 'see /v1/openapi.json');
  const wanted = method === 'HEAD' ? 'GET' : method;
  const found = there.find(({ operation }) => operation.method === wanted);
  if (found === undefined) {
    const allow = there
      .map(({ operation }) => (operation.method === 'GET' ? 'GET, HEAD' : operation.method))
      .join(', ');
    return { ...problem('method', `only ${allow} here`), allow };
  }
  const { role } = found.operation;
  if (mayDo(caller.role, role)) return flawOf(found) ?? found;
  const hint = `\`weft ca issue --operator ${caller.name} --role ${role}\` makes a certificate that may`;
  return problem('forbidden', `${caller.name} is ${one(caller.role)}; this needs ${one(role)}`, hint);
}

/** A misspelt parameter would else be an answer to another question. */
function flawOf({ operation, query }: Found): Outcome | null {
  const known = operation.query.map(({ name }) => name);
  for (const [name, value] of query) {
    const field = operation.query.find((each) => each.name === name);
    if (field === undefined) {
      const hint = suggestName(name, known) || (known.length === 0 ? 'it takes none' : `known: ${known.join(', ')}`);
      return problem('bad-request', `there is no parameter ${JSON.stringify(name.slice(0, MOST_SHOWN))} here`, hint);
    }
    if ('type' in field.schema && field.schema.type === 'boolean' && value !== 'true' && value !== 'false') {
      return problem('bad-request', `${name} is true or false`);
    }
  }
  return null;
}

function one(role: Role): string {
  return role === 'reader' ? 'a reader' : `an ${role}`;
}

/** What stands for `{name}`; '' where the path has none; null: it is another path. */
function nameIn(template: string, path: string): string | null {
  const [before = '', after = ''] = template.split('{name}', 2);
  if (before === template) return path === template ? '' : null;
  if (!path.startsWith(before) || !path.endsWith(after) || path.length <= before.length + after.length) return null;
  const segment = path.slice(before.length, path.length - after.length);
  return segment.includes('/') ? null : decoded(segment);
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

export async function answer(
  { operation, name, query }: Found,
  asked: Asked,
  caller: Caller,
  log: Log,
): Promise<Outcome> {
  const ifMatch = operation.conditional ? tagOf(asked.ifMatch) : null;
  if (ifMatch === undefined) {
    return problem('bad-request', 'If-Match names one snapshot, in quotes', 'as in If-Match: "1f0c2ab34d5e6f70"');
  }
  const body = operation.body === null ? null : await readJson(asked);
  if (body !== null && 'ok' in body) return body;
  try {
    return await operation.run({ caller, name, query, body: body === null ? null : body.json, ifMatch });
  } catch (error) {
    log.error({ operation: operation.id, error: describeError(error) }, 'an operation of the API failed');
    return problem('failed', `nothing was changed: ${describeError(error)}`);
  }
}

/** undefined: it cannot be read. `*` is whatever is in force. Source: RFC 9110 §13.1.1. */
function tagOf(header: string | undefined): string | null | undefined {
  if (header === undefined || header.trim() === '*') return null;
  return /^\s*"([0-9a-f]{1,64})"\s*$/.exec(header)?.[1];
}

async function readJson({ contentType = '', body }: Asked): Promise<{ readonly json: unknown } | Outcome> {
  const text = await body();
  if (text === null) return problem('too-large', 'the body has more than 16 MiB, or broke off');
  if (!/^application\/json\s*(?:;|$)/i.test(contentType)) {
    return problem('bad-request', 'the body must be application/json', 'send Content-Type: application/json');
  }
  try {
    // What takes no more than a word of who asks, such as a drain, may be sent without any.
    return { json: text === '' ? {} : JSON.parse(text) };
  } catch {
    return problem('bad-request', 'the body is not JSON');
  }
}

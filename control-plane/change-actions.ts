// What an operator may ask of the configuration in force, on the admin socket: plan, apply, roll back.
import type { ConfigText } from '../core/config/parse.ts';
import type { ConfigError } from '../core/config/problem.ts';
import type { Difference } from '../core/explain/difference.ts';
import { describeError } from '../core/kit/error.ts';
import type { Result } from '../core/kit/result.ts';
import { json, type Actions, type Reply } from '../host/admin.ts';
import type { Changes, KnownSnapshot, Outcome, UnknownSnapshot } from './snapshot/changes.ts';
import { isText } from './snapshot/history-entry.ts';

/** As JSON. 200: `done`; 422 and 404: nothing changed. */
export type ChangeAnswer =
  | {
      readonly kind: 'done';
      readonly difference: Difference;
      readonly warnings: readonly ConfigError[];
      /** Account → its connected proxies, for accounts of the difference. */
      readonly proxies: Readonly<Record<string, readonly string[]>>;
    }
  | { readonly kind: 'invalid'; readonly errors: readonly ConfigError[] }
  | { readonly kind: 'unknown'; readonly known: readonly KnownSnapshot[] }
  /** The store could not be written, or the request means nothing. */
  | { readonly kind: 'failed'; readonly message: string };

/** A configuration is at most so many files, and a name so many characters. */
const MOST_FILES = 256;
const MOST_NAME = 1_024;

/** @param instancesOf the connected proxies of an account */
export function changeActions(changes: Changes, instancesOf: (account: string) => readonly string[]): Actions {
  const answer = (result: Result<Outcome, readonly ConfigError[] | UnknownSnapshot>): Reply => {
    if (result.ok) return reply(200, doneOf(result.value, instancesOf));
    if ('kind' in result.error) return reply(404, result.error);
    return reply(422, { kind: 'invalid', errors: result.error });
  };
  return {
    '/plan': (_query, body) =>
      guarded(body, ({ files }) => (files === null ? notFiles() : answer(changes.plan(files)))),
    '/apply': (_query, body) =>
      guarded(body, async ({ files, who }) => (files === null ? notFiles() : answer(await changes.apply(files, who)))),
    '/rollback': (_query, body) => guarded(body, async ({ hash, who }) => answer(await changes.rollback(hash, who))),
  };
}

interface Asked {
  readonly files: readonly ConfigText[] | null;
  readonly hash: string;
  readonly who: string;
}

async function guarded(body: string, work: (asked: Asked) => Reply | Promise<Reply>): Promise<Reply> {
  try {
    const asked = read(body);
    return asked === null ? reply(400, { kind: 'failed', message: 'the request is not JSON' }) : await work(asked);
  } catch (error) {
    return reply(500, { kind: 'failed', message: `nothing was changed: ${describeError(error)}` });
  }
}

/** null: it is no JSON. */
function read(body: string): Asked | null {
  const value = parse(body);
  if (value === undefined) return null;
  const fields = new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  const [files, hash, who] = ['files', 'hash', 'who'].map((name) => fields.get(name));
  const good = Array.isArray(files) && files.length > 0 && files.length <= MOST_FILES && files.every(isText);
  return {
    files: good && files.every(({ name }) => name.length <= MOST_NAME) ? files : null,
    hash: typeof hash === 'string' ? hash : '',
    // It goes into logs and onto terminals.
    who: typeof who === 'string' && who !== '' ? who.slice(0, MOST_NAME).replaceAll(/\p{Cc}/gu, ' ') : 'somebody',
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function doneOf({ difference, warnings }: Outcome, instancesOf: (account: string) => readonly string[]): ChangeAnswer {
  const proxies = Object.fromEntries(difference.accounts.map(({ account }) => [account, instancesOf(account)]));
  return { kind: 'done', difference, warnings, proxies };
}

function notFiles(): Reply {
  return reply(400, { kind: 'failed', message: 'the request names no configuration' });
}

function reply(status: number, answer: ChangeAnswer): Reply {
  return json(answer, status);
}

// The operations that change what is in force: plan (which only says), apply, roll back.
import type { ConfigText } from '../../core/config/parse.ts';
import type { ConfigError } from '../../core/config/problem.ts';
import type { Result } from '../../core/kit/result.ts';
import type { Outcome as Changed, StaleSnapshot, UnknownSnapshot } from '../snapshot/changes.ts';
import { isText } from '../snapshot/history-entry.ts';
import { APPLY_REQUEST, CHANGE, PLAN_REQUEST, ROLLBACK_REQUEST, type ChangeDone } from './contract-changes.ts';
import type { ApiFacts } from './facts.ts';
import { snapshotItem } from './items.ts';
import { done, problem, type Call, type Operation, type Outcome } from './operation.ts';
import { whoOf } from './who.ts';

/** A configuration is at most so many files, and a name so many characters. */
const MOST_FILES = 256;
const MOST_NAME = 1_024;

const PLAIN = { method: 'POST', role: 'operator', query: [], answer: CHANGE, status: 200, watched: null } as const;

export function changeOperations(facts: Pick<ApiFacts, 'changes' | 'proxies'>): readonly Operation[] {
  const { changes } = facts;
  return [
    {
      ...PLAIN,
      ...{
        id: 'plan',
        path: '/v1/plan',
        body: PLAN_REQUEST,
        conditional: false,
        problems: ['too-large', 'invalid'],
      },
      summary: 'Say what a configuration would change, and change nothing.',
      run: ({ body }) => withFiles(body, (files) => answer(facts, changes.plan(files))),
    },
    {
      ...PLAIN,
      ...{ id: 'apply', path: '/v1/apply', body: APPLY_REQUEST, conditional: true },
      problems: ['too-large', 'invalid', 'stale'],
      summary: 'Put a configuration in force. It is on disk when this is answered.',
      run: (call) =>
        withFiles(call.body, async (files) => answer(facts, await changes.apply(files, whoOf(call), call.ifMatch))),
    },
    {
      ...PLAIN,
      ...{ id: 'rollback', path: '/v1/rollback', body: ROLLBACK_REQUEST, conditional: true },
      problems: ['too-large', 'invalid', 'unknown', 'stale'],
      summary: 'Put a configuration of the history in force again.',
      run: (call) => rollback(facts, call),
    },
  ];
}

async function rollback(facts: Pick<ApiFacts, 'changes' | 'proxies'>, call: Call): Promise<Outcome> {
  const hash = fieldOf(call.body, 'hash');
  if (typeof hash !== 'string' || hash === '') return problem('bad-request', 'the request names no snapshot: "hash"');
  return answer(facts, await facts.changes.rollback(hash, whoOf(call), call.ifMatch));
}

function withFiles(
  body: unknown,
  work: (files: readonly ConfigText[]) => Outcome | Promise<Outcome>,
): Outcome | Promise<Outcome> {
  const files = fieldOf(body, 'files');
  if (!Array.isArray(files) || files.length === 0 || !files.every(isText)) {
    return problem('bad-request', 'the request names no configuration: "files", each with "name" and "text"');
  }
  if (files.length > MOST_FILES || files.some(({ name }) => name.length > MOST_NAME)) {
    return problem('bad-request', `more than ${MOST_FILES} files, or a name of more than ${MOST_NAME} characters`);
  }
  return work(files.map(({ name, text }) => ({ name, text })));
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null
    ? new Map<string, unknown>(Object.entries(body)).get(name)
    : undefined;
}

function answer(
  facts: Pick<ApiFacts, 'proxies'>,
  result: Result<Changed, readonly ConfigError[] | UnknownSnapshot | StaleSnapshot>,
): Outcome {
  if (result.ok) return done(doneOf(facts, result.value), result.value.difference.to);
  if (!('kind' in result.error)) {
    return problem('invalid', 'the configuration is not valid', 'nothing was changed', { errors: [...result.error] });
  }
  if (result.error.kind === 'unknown') {
    const known = result.error.known.map(snapshotItem);
    return problem('unknown', 'no snapshot, or more than one, has a hash that begins so', 'see `weft get snapshots`', {
      known,
    });
  }
  const { snapshot } = result.error;
  return problem('stale', `${snapshot ?? 'nothing'} is in force, not what If-Match names`, 'plan again', { snapshot });
}

function doneOf({ proxies }: Pick<ApiFacts, 'proxies'>, { difference, warnings }: Changed): ChangeDone {
  const instances = new Map<string, string[]>(difference.accounts.map(({ account }) => [account, []]));
  for (const { account, instance } of proxies()) instances.get(account)?.push(instance);
  return { kind: 'done', difference, warnings, proxies: Object.fromEntries(instances) };
}

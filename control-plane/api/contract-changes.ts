// What the API takes and answers where something is changed, and how it says no.
import { Type } from 'typebox';
import { FILES, SNAPSHOT } from './contract.ts';
import { count, flag, oneOf, orNull, record, text, texts, type Shape } from './contract-parts.ts';

const WHO = Type.Optional(
  Type.String({
    maxLength: 1_024,
    description: 'For the audit log; only on the Unix socket: else it is the name in the certificate.',
  }),
);

export const PLAN_REQUEST = record({ files: FILES });
export const APPLY_REQUEST = record({ files: FILES, who: WHO });
export const ROLLBACK_REQUEST = record({
  hash: text('Of a snapshot of the history, or how it begins.'),
  who: WHO,
});

const CHANGE_KIND = oneOf(['added', 'removed', 'changed'], 'What happens to it.');
const DIFFERENCE = record({
  from: orNull(text('Hash before; null: there was none.')),
  to: text('Hash after.'),
  changed: flag('False: both mean the same.'),
  settings: Type.Array(record({ path: text('In the configuration.'), kind: CHANGE_KIND, words: Type.String() })),
  accounts: Type.Array(record({ account: Type.String(), kind: CHANGE_KIND, words: Type.String() }), {
    description: 'Whose view becomes another.',
  }),
});
const CONFIG_PROBLEM = record({
  file: Type.String(),
  line: count('From 1.'),
  column: count('From 1.'),
  path: text('In the configuration.'),
  message: Type.String(),
  hint: text('What to do; may be empty.'),
  severity: oneOf(['error', 'warning'], ''),
});

export const CHANGE = record(
  {
    kind: Type.Literal('done'),
    difference: DIFFERENCE,
    warnings: Type.Array(CONFIG_PROBLEM),
    proxies: Type.Record(Type.String(), texts('Instances.'), {
      description: 'Account → its connected proxies, for accounts of the difference.',
    }),
  },
  'What a change does, or would do.',
);
export type ChangeDone = Shape<typeof CHANGE>;

export const DRAIN_REQUEST = record({ who: WHO });

export const DRAIN = record(
  {
    instance: Type.String(),
    drained: flag('Whether it is taken out now.'),
    late: texts('Callers, as account/instance, that have not acknowledged in time that it is; they may call it still.'),
  },
  'An instance that was taken out, or let back.',
);
export type DrainDone = Shape<typeof DRAIN>;

/** Why something was refused or failed; with the kind come further fields. */
export const PROBLEM_KINDS = [
  'bad-request',
  'unauthenticated',
  'forbidden',
  'not-found',
  'method',
  'too-large',
  'busy',
  'unsupported',
  'timeout',
  'failed',
  'invalid',
  'unknown',
  'stale',
  'conflict',
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

export const PROBLEM = record(
  {
    kind: oneOf(PROBLEM_KINDS, 'For programs.'),
    message: text('One line for people.'),
    hint: text('What to do; may be empty.'),
    errors: Type.Optional(Type.Array(CONFIG_PROBLEM, { description: 'Of `invalid`: what is wrong with the files.' })),
    known: Type.Optional(Type.Array(SNAPSHOT, { description: 'Of `unknown`: the snapshots that there are.' })),
    snapshot: Type.Optional(orNull(text('Of `stale`: the hash of what is in force.'))),
  },
  'Why something was refused or failed; nothing was changed.',
);
export type Problem = Shape<typeof PROBLEM>;

export type ChangeAnswer = ChangeDone | Problem;

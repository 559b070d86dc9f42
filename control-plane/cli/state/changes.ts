// `weft plan`, `weft apply`, `weft rollback`: what a configuration would change, and putting one in force.
import { compileSnapshot } from '../../../core/compile/snapshot.ts';
import { parseConfig, type ConfigText, type ParsedConfig } from '../../../core/config/parse.ts';
import type { ConfigError } from '../../../core/config/problem.ts';
import { differenceOf } from '../../../core/explain/difference.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { err, ok, type Result } from '../../../core/kit/result.ts';
import { readConfigFiles } from '../../../host/config-files.ts';
import { sha256Hex } from '../../../host/hash.ts';
import type { ChangeAnswer, ChangeDone, Problem } from '../../api/contract-changes.ts';
import { apiClient, type ApiClient } from '../api/client.ts';
import { apiTarget, type ApiFlags } from '../api/target.ts';
import { problemLine } from '../validate.ts';
import { whoAmI } from '../who.ts';
import { snapshotTable } from '../get/tables.ts';
import { differenceLines } from './words.ts';

export interface ChangeArgs extends ApiFlags {
  /** The configuration; none: `weft.yaml`. */
  readonly files: readonly string[];
  readonly json: boolean;
}

/** What puts something in force. */
export interface PutArgs {
  /** Hash of the snapshot that must be in force, or nothing is changed; left out: whatever is. */
  readonly ifMatch?: string;
}

export interface PlanArgs extends ChangeArgs {
  /** Compared with these files; empty: with what runs. */
  readonly from: readonly string[];
}

type Print = (line: string) => void;

/** Exit code: 1 where the configuration is not valid. Throws MeshError `control-plane-unreachable` or `operator-refused`. */
export async function runPlan(args: PlanArgs, out: Print, complain: Print): Promise<number> {
  const texts = await readTexts(args.files);
  if (!texts.ok) return report(invalid(texts.error), args.json, 'plan', out, complain);
  const answer =
    args.from.length > 0 ? await planOffline(args.from, texts.value) : await (await clientOf(args)).plan(texts.value);
  return report(answer, args.json, 'plan', out, complain);
}

/** Exit code: 1 where nothing was changed. Throws MeshError `control-plane-unreachable`. */
export async function runApply(args: ChangeArgs & PutArgs, out: Print, complain: Print): Promise<number> {
  const texts = await readTexts(args.files);
  const answer: ChangeAnswer = texts.ok
    ? await (await clientOf(args)).apply(texts.value, optionsOf(args))
    : invalid(texts.error);
  return report(answer, args.json, 'apply', out, complain);
}

/** Exit code: 1 where nothing was changed. Throws MeshError `control-plane-unreachable`. */
export async function runRollback(
  args: Omit<ChangeArgs, 'files'> & PutArgs & { readonly hash: string },
  out: Print,
  complain: Print,
): Promise<number> {
  const answer = await (await clientOf(args)).rollback(args.hash, optionsOf(args));
  if (answer.kind !== 'unknown' || args.json) return report(answer, args.json, 'rollback', out, complain);
  const known = answer.known ?? [];
  const found = known.some(({ name }) => name.startsWith(args.hash)) ? 'more than one snapshot has' : 'no snapshot has';
  complain(`weft: ${found} a hash that begins with '${args.hash}'; there is:`);
  for (const line of snapshotTable(known)) complain(line);
  return 1;
}

function readTexts(files: readonly string[]): Promise<Result<readonly ConfigText[], readonly ConfigError[]>> {
  return readConfigFiles(files.length === 0 ? ['weft.yaml'] : files);
}

async function clientOf(flags: ApiFlags): Promise<ApiClient> {
  return apiClient(await apiTarget(flags, Date.now()));
}

/** Throws MeshError `usage`. */
function optionsOf({ ifMatch = null }: { readonly ifMatch?: string | null }) {
  if (ifMatch !== null && !/^[0-9a-f]{1,64}$/.test(ifMatch)) {
    const detail = `--if-match needs the hash of a snapshot, found '${ifMatch}'`;
    throw new MeshError('usage', { detail, hint: 'as `weft plan` and `weft get snapshots` show it' });
  }
  return { who: whoAmI(), ifMatch };
}

function invalid(errors: readonly ConfigError[]): Problem {
  return { kind: 'invalid', message: 'the configuration is not valid', hint: 'nothing was changed', errors };
}

async function planOffline(from: readonly string[], candidate: readonly ConfigText[]): Promise<ChangeAnswer> {
  const old = await readConfigFiles(from);
  const [before, after] = [old.ok ? compile(old.value) : old, compile(candidate)];
  const errors = [before, after].flatMap((each) => (each.ok ? [] : each.error));
  if (!before.ok || !after.ok) return invalid(errors);
  const [{ mesh: oldMesh }, { mesh, warnings }] = [before.value, after.value];
  const first = compileSnapshot(oldMesh, sha256Hex);
  const second = compileSnapshot(mesh, sha256Hex, first.ok ? first.value : null);
  if (!first.ok || !second.ok) throw new TypeError('what parses refers to what is there');
  return { kind: 'done', difference: differenceOf(first.value, second.value), warnings, proxies: {} };
}

function compile(texts: readonly ConfigText[]): Result<ParsedConfig, readonly ConfigError[]> {
  const parsed = parseConfig(texts);
  return parsed.ok ? ok(parsed.value) : err(parsed.error);
}

type Action = 'plan' | 'apply' | 'rollback';

function report(answer: ChangeAnswer, json: boolean, action: Action, out: Print, complain: Print): number {
  if (json) out(JSON.stringify(answer, null, 2));
  else if (answer.kind === 'done') {
    for (const warning of answer.warnings) complain(problemLine(warning));
    doneLines(answer.difference, answer.proxies, action).forEach(out);
  } else if (answer.kind === 'invalid') {
    for (const problem of answer.errors ?? []) complain(problemLine(problem));
    complain('not valid: nothing was changed');
  } else complain(`weft: ${answer.message}${answer.hint === '' ? '' : ` (${answer.hint})`}`);
  return answer.kind === 'done' ? 0 : 1;
}

function doneLines(
  difference: ChangeDone['difference'],
  proxies: ChangeDone['proxies'],
  action: Action,
): readonly string[] {
  const { from, to, changed } = difference;
  if (!changed) return [`nothing ${action === 'plan' ? 'would change' : 'changes'}: ${to} says the same`];
  const head =
    action === 'plan' ? `${from ?? 'nothing'} → ${to} would change` : `${to} is in force, after ${from ?? 'nothing'}`;
  const asked = Object.keys(proxies).length > 0;
  return [head, ...differenceLines(difference, asked ? proxies : null)];
}

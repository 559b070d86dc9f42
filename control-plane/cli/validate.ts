// `weft validate FILE…`: everything that is wrong with a configuration, one line each, for people and, by
// --json, for programs.
import { findOwnPortCalls } from '../../core/config/own-port.ts';
import { parseConfig, type ParsedConfig } from '../../core/config/parse.ts';
import type { ConfigError } from '../../core/config/problem.ts';
import { ok, type Result } from '../../core/kit/result.ts';
import { readConfigFiles } from '../../host/config-files.ts';

export interface ValidateArgs {
  /** Together they are one configuration; none: `weft.yaml`. */
  readonly files: readonly string[];
  readonly json: boolean;
}

/** Exit code: 1 where there is an error; warnings alone are 0. */
export async function runValidate(args: ValidateArgs, out: (line: string) => void): Promise<number> {
  const result = await check(args.files.length === 0 ? ['weft.yaml'] : args.files);
  const errors = result.ok ? [] : result.error;
  const warnings = result.ok ? result.value.warnings : [];
  if (args.json) {
    out(JSON.stringify({ ok: result.ok, errors, warnings }, null, 2));
  } else {
    for (const problem of [...errors, ...warnings]) out(problemLine(problem));
    out(result.ok ? summaryOf(result.value) : `not valid: ${count(errors.length, 'error')}`);
  }
  return result.ok ? 0 : 1;
}

/** `weft.yaml:3:7: error: services.web.prot: unknown key "prot", … (did you mean "port"?)` */
export function problemLine(problem: ConfigError): string {
  const place = problem.file === '' ? '' : `${problem.file}:${problem.line}:${problem.column}: `;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.hint === '' ? '' : ` (${problem.hint})`;
  return `${place}${problem.severity}: ${path}${problem.message}${hint}`;
}

async function check(files: readonly string[]): Promise<Result<ParsedConfig, readonly ConfigError[]>> {
  const texts = await readConfigFiles(files);
  const parsed = texts.ok ? parseConfig(texts.value) : texts;
  if (!parsed.ok) return parsed;
  const { mesh, sources, warnings } = parsed.value;
  // Not for the control plane's log: where the app calls in another way, or netns is there, nothing is amiss.
  return ok({ mesh, sources, warnings: [...warnings, ...findOwnPortCalls(mesh, sources)] });
}

function summaryOf({ mesh, warnings }: ParsedConfig): string {
  const parts = [count(mesh.services.size, 'service'), count(mesh.edges.size, 'edge')];
  if (warnings.length > 0) parts.push(count(warnings.length, 'warning'));
  return `valid: ${parts.join(', ')}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

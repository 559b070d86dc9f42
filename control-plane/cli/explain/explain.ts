// `weft explain`: what becomes of a request, asked of configuration files or of the control plane that runs.
import type { Explanation } from '../../../core/explain/explanation.ts';
import { explainRequest } from '../../../core/explain/explain.ts';
import { explanationLines, isRefused } from '../../../core/explain/request-words.ts';
import { readRequest } from '../../../core/explain/request.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { problemLine } from '../validate.ts';
import { knownFromFiles } from './offline.ts';

export interface ExplainArgs {
  /** `POST https://api.shop.test/api/orders`. */
  readonly request: string;
  readonly from: string | null;
  /** Each `name: value`. */
  readonly headers: readonly string[];
  /** Together one configuration; none: the control plane is asked. */
  readonly files: readonly string[];
  /** text or json. */
  readonly output: string;
  /** State folder of the control plane. */
  readonly dir: string;
}

/** Exit code: 1 where a proxy would answer in place of an app. Throws MeshError `usage`, `control-plane-unreachable`. */
export async function runExplain(
  args: ExplainArgs,
  out: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  const request = readRequest(args.request, args.headers);
  if (!request.ok) throw usage(request.error);
  if (args.files.length === 0) {
    throw new MeshError('usage', { detail: 'no configuration to ask', hint: 'name it with --config' });
  }
  const known = await knownFromFiles(args.files);
  if (!known.ok) {
    for (const problem of known.error) complain(problemLine(problem));
    return 1;
  }
  const explained = explainRequest(known.value, request.value, args.from);
  if (!explained.ok) throw usage(explained.error);
  return say(explained.value, args.output === 'json', out);
}

function say(explanation: Explanation, json: boolean, out: (line: string) => void): number {
  if (json) out(JSON.stringify(explanation, null, 2));
  else for (const line of explanationLines(explanation)) out(line);
  return isRefused(explanation) ? 1 : 0;
}

function usage({ message, hint }: { readonly message: string; readonly hint: string }): MeshError {
  return new MeshError('usage', { detail: message, hint });
}

// `weft explain`: what becomes of a request, asked of configuration files or of the control plane that runs.
import { explainRequest } from '../../../core/explain/explain.ts';
import type { Known } from '../../../core/explain/known.ts';
import { readRequest } from '../../../core/explain/request.ts';
import { explanationLines, isRefused } from '../../../core/explain/request-words.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { apiClient } from '../api/client.ts';
import { type ApiFlags, apiTarget } from '../api/target.ts';
import { problemLine } from '../validate.ts';
import { proxyPage } from './decision.ts';
import { knownFrom, knownFromFiles } from './known.ts';

export interface ExplainArgs extends ApiFlags {
  /** `POST https://api.shop.test/api/orders`. */
  readonly request: string;
  /** Who calls; null: a client outside. */
  readonly from: string | null;
  /** Each `name: value`. */
  readonly headers: readonly string[];
  /** Together one configuration; none: the control plane is asked. */
  readonly files: readonly string[];
  /** State folder of the proxy of this machine that forwards it; null: none is asked. */
  readonly proxy: string | null;
  /** text or json. */
  readonly output: string;
}

type Print = (line: string) => void;

/**
 * Exit code: 1 where a proxy would answer in place of an app, or the files are not valid. Throws MeshError `usage`,
 * `control-plane-unreachable` or `operator-refused`.
 */
export async function runExplain(args: ExplainArgs, out: Print, complain: Print): Promise<number> {
  const request = readRequest(args.request, args.headers);
  if (!request.ok) throw usage(request.error);
  const known = args.files.length === 0 ? await live(args) : await offline(args.files, complain);
  if (known === null) return 1;
  const active = args.proxy === null ? null : await activeAt(args.proxy);
  const asked = active === null ? known : { ...known, active };
  const explained = explainRequest(asked, request.value, args.from);
  if (!explained.ok) throw usage(explained.error);
  if (args.output === 'json') out(JSON.stringify(explained.value, null, 2));
  else for (const line of explanationLines(explained.value)) out(line);
  return isRefused(explained.value) ? 1 : 0;
}

/** Requests in flight from one proxy, by its own page. */
async function activeAt(folder: string): Promise<NonNullable<Known['active']>> {
  const page = await proxyPage(folder, '/clusters');
  const counts = new Map<string, number>();
  for (const [cluster, endpoints] of Object.entries(typeof page === 'object' && page !== null ? page : {})) {
    if (!Array.isArray(endpoints)) continue;
    // The page is that of our own program; what is not there is not counted.
    for (const { id, active } of endpoints as Partial<EndpointFacts>[]) {
      if (typeof active === 'number') counts.set(`${cluster} ${id ?? ''}`, active);
    }
  }
  return (cluster, endpoint) => counts.get(`${cluster} ${endpoint}`) ?? null;
}

interface EndpointFacts {
  readonly id: string;
  readonly active: number;
}

async function offline(files: readonly string[], complain: Print): Promise<Known | null> {
  const asked = await knownFromFiles(files);
  if (asked.ok) return asked.value.known;
  for (const problem of asked.error) complain(problemLine(problem));
  return null;
}

async function live(flags: ApiFlags): Promise<Known> {
  const client = apiClient(await apiTarget(flags, Date.now()));
  const asked = await knownFrom(client, (await client.list('proxies')).items);
  if (asked !== null) return asked.known;
  throw new MeshError('config-invalid', { detail: 'nothing is in force there', hint: 'see `weft validate`' });
}

function usage({ message, hint }: { readonly message: string; readonly hint: string }): MeshError {
  return new MeshError('usage', { detail: message, hint });
}

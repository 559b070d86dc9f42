// `weft explain --decision ID`: asks the rings of the proxies for a denial, through the control plane or at one proxy.
import { join } from 'node:path';
import {
  decisionLines,
  type ExplainedDecision,
  explainDecision,
  readDecision,
} from '../../../core/explain/decision.ts';
import type { Known } from '../../../core/explain/known.ts';
import { describeError, MeshError } from '../../../core/kit/error.ts';
import { adminSocketPath } from '../../../host/admin.ts';
import { askAdmin } from '../../../host/admin-client.ts';
import type { ProxyItem } from '../../api/contract.ts';
import { apiClient, type ApiClient } from '../api/client.ts';
import { type ApiFlags, apiTarget } from '../api/target.ts';
import { knownFrom, knownFromFiles } from './known.ts';

export interface DecisionArgs extends ApiFlags {
  /** What the caller was given with its 403. */
  readonly decision: string;
  /** Only this proxy is asked; null: all of them. */
  readonly instance: string | null;
  /** State folder of a proxy of this machine, asked in place of the control plane; null: none. */
  readonly proxy: string | null;
  readonly files: readonly string[];
  readonly output: string;
}

type Print = (line: string) => void;

/** Exit code: 1 where nobody knows it. Throws MeshError `control-plane-unreachable`, `operator-refused`, `usage`. */
export async function runDecision(args: DecisionArgs, out: Print, complain: Print): Promise<number> {
  if (!/^[\da-f]{1,64}$/i.test(args.decision)) {
    throw new MeshError('usage', {
      detail: `"${args.decision}" is no id of a decision`,
      hint: 'it is in the answer with the 403',
    });
  }
  const found = args.proxy === null ? await askMesh(args, complain) : await askProxy(args, args.proxy);
  if (found === null) {
    complain(`no proxy knows decision ${args.decision}: each keeps the last 4,096, and none of before its start`);
    return 1;
  }
  if (args.output === 'json') out(JSON.stringify(found, null, 2));
  else for (const line of decisionLines(found, (ms) => new Date(ms).toISOString())) out(line);
  return 0;
}

async function askMesh(args: DecisionArgs, complain: Print): Promise<ExplainedDecision | null> {
  const client = apiClient(await apiTarget(args, Date.now()));
  const { items } = await client.list('proxies');
  const asked = args.instance === null ? items : items.filter(({ name }) => name === args.instance);
  if (args.instance !== null && asked.length === 0) {
    throw new MeshError('usage', {
      detail: `no proxy "${args.instance}" is connected`,
      hint: 'see `weft get proxies`',
    });
  }
  // Who says nothing of itself is older, and is not asked: waiting for each of them would take minutes.
  const able = asked.filter(({ status }) => status !== null);
  const silent = asked.filter(({ status }) => status === null).map(({ name }) => `${name}: it cannot be asked`);
  const found = await firstOf(able, (proxy) => askOne(client, proxy, args.decision, silent));
  if (found === null) {
    if (silent.length > 0) complain(`${silent.length} of ${asked.length} proxies did not answer: ${silent[0] ?? ''}`);
    return null;
  }
  const known = (await offline(args.files)) ?? (await knownFrom(client, items))?.known ?? null;
  return explainDecision(known, found.decision, { instance: found.proxy.name, account: found.proxy.account });
}

async function askOne(client: ApiClient, proxy: ProxyItem, id: string, silent: string[]) {
  try {
    const { decisions } = await client.decisions(proxy.name, { requestId: id });
    const decision = decisions.map(readDecision).find((each) => each?.id === id) ?? null;
    return decision === null ? null : { decision, proxy };
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    // An older proxy does not answer for its ring, and one that just left never will.
    silent.push(`${proxy.name}: ${describeError(error)}`);
    return null;
  }
}

/** How many are asked at once. */
const AT_ONCE = 16;

/** The first that is something; the rest is not asked. */
async function firstOf<T, R>(items: readonly T[], ask: (item: T) => Promise<R | null>): Promise<R | null> {
  for (let start = 0; start < items.length; start += AT_ONCE) {
    const answers = await Promise.all(items.slice(start, start + AT_ONCE).map(ask));
    const found = answers.find((answer) => answer !== null);
    if (found !== undefined) return found;
  }
  return null;
}

async function askProxy(args: DecisionArgs, folder: string): Promise<ExplainedDecision | null> {
  const page = await proxyPage(folder, `/decisions?id=${args.decision}`);
  const decision = readDecision(page);
  if (decision === null) return null;
  // The rule begins with the service whose proxy said no.
  const account = /^services\.([^.[]+)/.exec(decision.rule)?.[1] ?? '';
  return explainDecision(await offline(args.files), decision, { instance: account, account });
}

async function offline(files: readonly string[]): Promise<Known | null> {
  const asked = files.length === 0 ? null : await knownFromFiles(files);
  if (asked === null) return null;
  if (asked.ok) return asked.value.known;
  throw new MeshError('config-invalid', { detail: files.join(', '), hint: 'see `weft validate`' });
}

const MOST = { characters: 8 * 1024 * 1024, silence: 10_000 } as const;

/** A page of a proxy's admin socket. Throws MeshError `usage`: none runs with this state folder. */
export async function proxyPage(folder: string, path: string): Promise<unknown> {
  const socket = adminSocketPath(join(folder, 'admin.sock'));
  try {
    const { text } = await askAdmin(socket, { path, silence: MOST.silence, most: MOST.characters });
    return JSON.parse(text);
  } catch (cause) {
    const detail = `no proxy answers at ${socket}: ${describeError(cause)}`;
    throw new MeshError('usage', { detail, hint: '--proxy is the state folder of a running proxy', cause });
  }
}

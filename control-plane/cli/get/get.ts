// `weft get KIND [NAME]`: what the control plane knows, as a table, JSON or YAML; once, or as it changes.
import { MeshError } from '../../../core/kit/error.ts';
import { nearestName } from '../../../core/config/nearest.ts';
import type { Lists, WatchEvent } from '../../api/contract.ts';
import { apiClient, type ApiClient } from '../api/client.ts';
import { apiTarget, type ApiFlags } from '../api/target.ts';
import type { Format } from './formats.ts';
import { aligned, headOf, KINDS, lineOf, rowOf, widthsOf, type Kind } from './tables.ts';

export interface GetArgs extends ApiFlags {
  readonly kind: string;
  /** One item; left out: all. */
  readonly name?: string;
  readonly watch: boolean;
  readonly output: Format;
  /** As `-o json`. */
  readonly json: boolean;
}

type Print = (line: string) => void;

/**
 * Exit code: 1 where there is none of that name. With `watch` it returns when `signal` is aborted or the server ends the stream. Throws MeshError
 * `control-plane-unreachable`, `operator-refused` or `usage`.
 */
export async function runGet(args: GetArgs, signal: AbortSignal, out: Print, complain: Print): Promise<number> {
  const kind = kindOf(args.kind);
  const client = apiClient(await apiTarget(args, Date.now()));
  const format = args.json ? 'json' : args.output;
  if (args.watch) await follow(client, kind, args.name ?? null, format, signal, out);
  else if (args.name === undefined) await showAll(client, kind, format, out);
  else return showOne(client, kind, args.name, format, out, complain);
  return 0;
}

/** `proxy` and `proxies` alike. */
function kindOf(text: string): Kind {
  const kind = KINDS.find((each) => each === text || each === `${text}s` || each === text.replace(/y$/, 'ies'));
  if (kind !== undefined) return kind;
  const near = nearestName(text, KINDS);
  throw new MeshError('usage', {
    detail: `there is no kind "${text}"`,
    hint: near === null ? `known: ${KINDS.join(', ')}` : `did you mean ${near}?`,
  });
}

async function showAll(client: ApiClient, kind: Kind, format: Format, out: Print): Promise<void> {
  const list = await client.list(kind);
  if (format !== 'table') return printValue(list, format, out);
  const now = Date.now();
  for (const line of aligned([headOf(kind), ...list.items.map((item) => rowOf(kind, item, now))])) out(line);
}

async function showOne(
  client: ApiClient,
  kind: Kind,
  name: string,
  format: Format,
  out: Print,
  complain: Print,
): Promise<number> {
  const item = (await client.item(kind, name)) ?? (await byBeginning(client, kind, name));
  if (typeof item === 'string') {
    complain(`weft: ${kind}: ${item}`);
    return 1;
  }
  if (format === 'table') for (const line of aligned([headOf(kind), rowOf(kind, item, Date.now())])) out(line);
  else await printValue(item, format, out);
  return 0;
}

/** Hashes and serials are long: how they begin is enough. A text says why there is none. */
async function byBeginning(client: ApiClient, kind: Kind, name: string): Promise<Lists[Kind] | string> {
  const { items } = await client.list(kind);
  // One union for all kinds: the names are all that is looked at.
  const known: readonly Lists[Kind][] = items;
  const found = known.filter((item) => item.name.startsWith(name));
  const [only] = found;
  if (only !== undefined && new Set(found.map((item) => item.name)).size === 1) return only;
  const near = nearestName(name, [...new Set(known.map((item) => item.name))]);
  const none = found.length === 0 ? `there is none named "${name}"` : `several begin with "${name}"`;
  const hint = near === null || found.length > 0 ? `see \`weft get ${kind}\`` : `did you mean ${near}?`;
  return `${none} (${hint})`;
}

async function follow(
  client: ApiClient,
  kind: Kind,
  name: string | null,
  format: Format,
  signal: AbortSignal,
  out: Print,
): Promise<void> {
  const show = format === 'table' ? tableOf(kind, out) : null;
  for await (const event of client.watch(kind, signal)) {
    if (event.type === 'idle') continue;
    if (event.type === 'item' && name !== null && event.item.name !== name) continue;
    if (event.type === 'removed' && name !== null && event.name !== name) continue;
    if (show !== null) show(event);
    else if (format !== 'yaml') out(JSON.stringify(event));
    else {
      out('---');
      await printValue(event, format, out);
    }
    if (event.type === 'end') return;
  }
}

/** The first rows together, under one head; then a row for each change, as wide. */
function tableOf(kind: Kind, out: Print): (event: WatchEvent<Kind>) => void {
  let widths: readonly number[] | null = null;
  const first: (readonly string[])[] = [];
  return (event) => {
    if (event.type === 'item') {
      const row = rowOf(kind, event.item, Date.now());
      if (widths === null) first.push(row);
      else out(lineOf(row, widths));
    } else if (event.type === 'synced' && widths === null) {
      const rows = [headOf(kind), ...first];
      widths = widthsOf(rows);
      for (const row of rows) out(lineOf(row, widths));
    } else if (event.type === 'removed') out(`${event.name} is gone`);
    else if (event.type === 'end') out(`the control plane ends the stream: ${event.reason}`);
  };
}

async function printValue(value: object, format: 'json' | 'yaml', out: Print): Promise<void> {
  if (format === 'json') return out(JSON.stringify(value, null, 2));
  const { stringify } = await import('yaml');
  out(stringify(value).trimEnd());
}

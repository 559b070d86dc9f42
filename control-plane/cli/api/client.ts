// The API of a control plane, typed: what the commands of `weft` ask. The other side is held to the contract
// (control-plane/api/contract.ts) by its own tests; here only the outline of an answer is checked.
import { MeshError } from '../../../core/kit/error.ts';
import type { ConfigText } from '../../../core/config/parse.ts';
import type { ChangeAnswer, DrainDone, Problem } from '../../api/contract-changes.ts';
import type { ConfigItem, DecisionsItem, List, ListName, Lists, StatusItem, WatchEvent } from '../../api/contract.ts';
import { exchange, open, type ApiReply, type ApiRequest } from './exchange.ts';
import type { ApiTarget } from './target.ts';

/** Every method throws MeshError `control-plane-unreachable` or `operator-refused`. */
export interface ApiClient {
  status(): Promise<StatusItem>;
  list<Name extends ListName>(name: Name): Promise<List<Name>>;
  /** null: there is none of that name. */
  item<Name extends Exclude<ListName, 'audit'>>(list: Name, name: string): Promise<Lists[Name] | null>;
  /** First every item, then `synced`, then what changes; ends when the server ends it or `signal` is aborted. */
  watch<Name extends ListName>(list: Name, signal: AbortSignal): AsyncIterable<WatchEvent<Name>>;
  /** The files in force; null: nothing is in force yet. */
  config(): Promise<ConfigItem | null>;
  decisions(instance: string, query?: { readonly requestId?: string; readonly limit?: number }): Promise<DecisionsItem>;
  /** `ifMatch`: hash of the snapshot that must be in force, else the answer is `stale`. */
  plan(files: readonly ConfigText[]): Promise<ChangeAnswer>;
  apply(files: readonly ConfigText[], options: ChangeOptions): Promise<ChangeAnswer>;
  rollback(hash: string, options: ChangeOptions): Promise<ChangeAnswer>;
  /** Takes an instance out of every view, and waits until its callers have acknowledged that, or too long. */
  drain(instance: string, who: string): Promise<DrainDone>;
  /** Lets it back. */
  undrain(instance: string, who: string): Promise<DrainDone>;
}

export interface ChangeOptions {
  /** For the audit log; over TLS the name in the certificate counts. */
  readonly who: string;
  readonly ifMatch?: string | null;
}

export function apiClient(target: ApiTarget): ApiClient {
  const send = (asking: ApiRequest) => exchange(target, asking);
  const get = async <T>(path: string): Promise<T | null> => {
    const reply = await send({ method: 'GET', path: `/v1/${path}` });
    return reply.status === 404 ? null : done<T>(target, reply);
  };
  const must = async <T>(path: string): Promise<T> =>
    done<T>(target, await send({ method: 'GET', path: `/v1/${path}` }));
  const change = async (path: string, body: object, ifMatch: string | null = null): Promise<ChangeAnswer> => {
    const reply = await send({ method: 'POST', path: `/v1/${path}`, body, ifMatch });
    return ANSWERED.has(reply.status) ? parse<ChangeAnswer>(target, reply) : done(target, reply);
  };
  const act = async (instance: string, verb: string, who: string): Promise<DrainDone> => {
    const path = `/v1/proxies/${encodeURIComponent(instance)}/${verb}`;
    return done(target, await send({ method: 'POST', path, body: { who } }));
  };
  return {
    status: () => must('status'),
    list: (name) => must(name),
    item: (list, name) => get(`${list}/${encodeURIComponent(name)}`),
    watch: (list, signal) => watchLines(target, list, signal),
    config: () => get('config'),
    decisions: (instance, { requestId = '', limit = 100 } = {}) => {
      const query = new URLSearchParams({ limit: String(limit), ...(requestId === '' ? {} : { id: requestId }) });
      return must(`proxies/${encodeURIComponent(instance)}/decisions?${query.toString()}`);
    },
    plan: (files) => change('plan', { files }),
    apply: (files, { who, ifMatch }) => change('apply', { files, who }, ifMatch),
    rollback: (hash, { who, ifMatch }) => change('rollback', { hash, who }, ifMatch),
    drain: (instance, who) => act(instance, 'drain', who),
    undrain: (instance, who) => act(instance, 'undrain', who),
  };
}

/** Nothing was changed, and the answer says why: an outcome like others. */
const ANSWERED = new Set([200, 400, 404, 412, 422, 500]);

/** The peer is our own program: what the contract says of the path is taken for true. */
function done<T>(target: ApiTarget, reply: ApiReply): T {
  if (reply.status === 200 || reply.status === 202) return parse<T>(target, reply);
  throw refusal(parse<Partial<Problem>>(target, reply), reply.status);
}

function parse<T>(target: ApiTarget, { text }: ApiReply): T {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // Said below.
  }
  const where = target.kind === 'socket' ? target.path : `${target.address.host}:${target.address.port}`;
  throw new MeshError('control-plane-unreachable', {
    detail: `${where} does not answer as a control plane of this version does`,
    hint:
      target.kind === 'socket'
        ? 'is it one, and of this version?'
        : 'is it the port of its --api, and of this version?',
  });
}

function refusal({ message = '', hint = '' }: Partial<Problem>, status: number): MeshError {
  return new MeshError('operator-refused', { detail: message === '' ? `HTTP status ${status}` : message, hint });
}

/** Characters of one line. */
const MOST_LINE = 4 * 1024 * 1024;

async function* watchLines<Name extends ListName>(
  target: ApiTarget,
  list: Name,
  signal: AbortSignal,
): AsyncIterable<WatchEvent<Name>> {
  const { answer, request } = await open(target, { method: 'GET', path: `/v1/${list}?watch=true` });
  const stop = () => request.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    answer.setEncoding('utf8');
    let rest = '';
    for await (const chunk of answer as AsyncIterable<string>) {
      rest += chunk;
      if (answer.statusCode !== 200) continue;
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MOST_LINE) throw new Error('a line is too long');
      for (const text of lines) if (text !== '') yield parse<WatchEvent<Name>>(target, { status: 200, text });
    }
    if (answer.statusCode !== 200) done(target, { status: answer.statusCode ?? 0, text: rest });
  } catch (cause) {
    if (signal.aborted) return;
    if (cause instanceof MeshError) throw cause;
    throw new MeshError('control-plane-unreachable', { detail: 'the stream broke off', cause });
  } finally {
    signal.removeEventListener('abort', stop);
    request.destroy();
  }
}

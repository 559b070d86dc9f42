// `weft token list` and `weft token revoke`: what has become of the tokens of a control plane. It may be running.
import { listTokens, revokeToken, type ListedToken } from '../../certs/token/token-list.ts';
import { aligned } from './get/tables.ts';
import { moment } from './ca/flags.ts';

type Print = (line: string) => void;

export interface TokenListArgs {
  /** State folder of the control plane. */
  readonly dir: string;
  readonly json: boolean;
}

/** No secret is in it: secrets are kept nowhere. */
export async function runTokenList({ dir, json }: TokenListArgs, out: Print): Promise<void> {
  const tokens = await listTokens({ stateDir: dir, clock: Date.now });
  if (json) out(JSON.stringify({ tokens: tokens.map(asJson) }, null, 2));
  else if (tokens.length === 0) out('no tokens; make one with `weft token create`');
  else for (const line of aligned([HEAD, ...tokens.map(rowOf)])) out(line);
}

/** Throws MeshError `usage` where no token, or more than one, has an id that begins so. */
export async function runTokenRevoke(args: TokenListArgs & { readonly id: string }, out: Print): Promise<void> {
  const id = await revokeToken({ stateDir: args.dir, clock: Date.now }, args.id);
  out(args.json ? JSON.stringify({ revoked: id }) : `revoked ${id}: nobody joins with it any more; whoever has stays`);
}

const HEAD = ['TOKEN', 'FOR', 'VERSION', 'INSTANCE', 'STATE', 'USED', 'EXPIRES', 'MADE BY'];

function rowOf(token: ListedToken): readonly string[] {
  const { tokenId, account, version, instance, state, used, uses, expiresAt, createdBy } = token;
  const fields = [tokenId, account, version ?? '-', instance ?? '-', state, `${used}/${uses}`, moment(expiresAt)];
  return [...fields, createdBy ?? '-'];
}

function asJson(token: ListedToken): object {
  const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  const { expiresAt, createdAt, revokedAt } = token;
  return { ...token, expiresAt: iso(expiresAt), createdAt: iso(createdAt), revokedAt: iso(revokedAt) };
}

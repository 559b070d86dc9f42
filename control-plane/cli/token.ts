// `weft token create`: a join token for one service or edge, on stdout and nowhere else.
import { randomBytes } from 'node:crypto';
import { MeshError } from '../../core/kit/error.ts';
import { readAuthority } from '../../certs/authority/authority-reader.ts';
import { edgeAccount, edgeOf } from '../../certs/policy/names.ts';
import { createToken } from '../../certs/token/token-store.ts';
import { whoAmI } from './who.ts';

/** Where it prints; `process.stdout` is one. */
interface Output {
  write(text: string): unknown;
}

export interface TokenCreateOptions {
  /** State folder of the control plane; default of the command: `.weft/control-plane`. */
  readonly dir: string;
  readonly caDir: string;
  /** One of these two. */
  readonly service?: string | undefined;
  readonly edge?: string | undefined;
  readonly version?: string | undefined;
  /** Fixed name of the instance; left out: `<service>-<4 hex digits>`, made when it joins. */
  readonly instance?: string | undefined;
  /** Milliseconds; default one hour. */
  readonly ttl?: number | undefined;
  /** How many instances may join with it; default 1. */
  readonly uses?: number | undefined;
  /** The token and what it is good for, as JSON. */
  readonly json?: boolean;
}

/** Prints the token and a line break. Throws MeshError `usage`, `authority-missing` or `state-corrupt`. */
export async function runTokenCreate(options: TokenCreateOptions, out: Output): Promise<void> {
  const { dir, caDir, version, instance, ttl, uses } = options;
  const account = accountOf(options);
  const ambient = { clock: Date.now, random: randomBytes };
  const { rootFingerprint } = await readAuthority(caDir);
  const token = await createToken(
    { stateDir: dir, rootFingerprint, ...ambient },
    {
      account,
      by: whoAmI(),
      ...(version === undefined ? {} : { version }),
      ...(instance === undefined ? {} : { instance }),
      ...(ttl === undefined ? {} : { ttl }),
      ...(uses === undefined ? {} : { uses }),
    },
  );
  const text = token.reveal();
  const [, tokenId = ''] = text.split('.');
  out.write(`${options.json === true ? JSON.stringify({ token: text, tokenId, account }) : text}\n`);
}

function accountOf(options: TokenCreateOptions): string {
  const { service, edge } = options;
  if ((service === undefined) === (edge === undefined)) {
    throw new MeshError('usage', { detail: 'a token is for a service or an edge', hint: 'give --service or --edge' });
  }
  if (edge !== undefined) {
    if (options.version !== undefined) throw new MeshError('usage', { detail: 'an edge has no versions' });
    return edgeAccount(edge);
  }
  const account = service ?? '';
  const named = edgeOf(account);
  // `edge-main` is the identity of the edge `main`: a service of that name could speak as the front door.
  if (named !== null) {
    throw new MeshError('usage', { detail: `${account} is the identity of an edge`, hint: `give --edge ${named}` });
  }
  return account;
}

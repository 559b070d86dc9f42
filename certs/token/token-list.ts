// The tokens of a control plane as somebody looks after them: which there are, what has become of them, and revoking one
// that fell into the wrong hands.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { fileDetail, isErrno, readState, writeState } from '../../host/files.ts';
import type { Clock } from '../ambient.ts';
import { isTokenRecord, type TokenGrant, type TokenRecord } from './token-store.ts';

export type TokenState = 'valid' | 'used' | 'expired' | 'revoked';

/** Without its secret and without the secret's hash. */
export interface ListedToken extends TokenGrant {
  readonly state: TokenState;
  /** Uses that are taken. */
  readonly used: number;
  /** Milliseconds since 1970; null: not kept. */
  readonly createdAt: number | null;
  readonly createdBy: string | null;
  readonly revokedAt: number | null;
}

interface Store {
  /** State folder of the control plane. */
  readonly stateDir: string;
  readonly clock: Clock;
}

/** What expires last comes last. Damaged records are left out; the control plane refuses them. */
export async function listTokens({ stateDir, clock }: Store): Promise<readonly ListedToken[]> {
  const names = await namesIn(join(stateDir, 'tokens'));
  const tokens: ListedToken[] = [];
  for (const name of names) {
    const id = /^([0-9a-f]{16})\.json$/.exec(name)?.[1];
    const record = id === undefined ? null : await recordOf(stateDir, id);
    if (record === null) continue;
    const used = names.filter((each) => each.startsWith(`${id}.`) && each.endsWith('.used')).length;
    const { tokenId, account, version, instance, expiresAt, uses } = record;
    tokens.push({
      ...{ tokenId, account, version, instance, expiresAt, uses, used },
      state: stateOf(record, used, clock()),
      createdAt: record.createdAt ?? null,
      createdBy: record.createdBy ?? null,
      revokedAt: record.revokedAt ?? null,
    });
  }
  return tokens.toSorted((a, b) => a.expiresAt - b.expiresAt);
}

/**
 * Whoever joined with it stays: its certificates are another matter. Returns the whole id. Throws MeshError `usage` where
 * no token, or more than one, has an id that begins so.
 */
export async function revokeToken({ stateDir, clock }: Store, beginning: string): Promise<string> {
  const ids = (await namesIn(join(stateDir, 'tokens'))).flatMap(
    (name) => /^([0-9a-f]{16})\.json$/.exec(name)?.[1] ?? [],
  );
  const [id, ...others] = beginning === '' ? [] : ids.filter((each) => each.startsWith(beginning));
  if (id === undefined || others.length > 0) {
    const how = id === undefined ? 'no token has' : 'more than one token has';
    throw new MeshError('usage', {
      detail: `${how} an id that begins with '${beginning}'`,
      hint: 'see `weft token list`',
    });
  }
  const record = await recordOf(stateDir, id);
  if (record === null) throw new MeshError('state-corrupt', { detail: `the record of token ${id}` });
  // The first moment counts.
  const revokedAt = record.revokedAt ?? clock();
  await writeState(join(stateDir, 'tokens', `${id}.json`), { ...record, revokedAt });
  return id;
}

function stateOf(record: TokenRecord, used: number, now: number): TokenState {
  if (record.revokedAt !== undefined) return 'revoked';
  if (now >= record.expiresAt) return 'expired';
  return used >= record.uses ? 'used' : 'valid';
}

async function recordOf(stateDir: string, id: string): Promise<TokenRecord | null> {
  try {
    const record = await readState(join(stateDir, 'tokens', `${id}.json`));
    return isTokenRecord(record) ? record : null;
  } catch (error) {
    if (error instanceof MeshError && error.code === 'state-corrupt') return null;
    throw error;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return [];
    throw new MeshError('file-unreadable', { detail: fileDetail(folder, cause), cause });
  }
}

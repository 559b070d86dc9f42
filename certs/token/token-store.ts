// Join tokens at rest: `tokens/<id>.json` says what a token is good for and holds a hash of its secret;
// `tokens/<id>.<n>.used` is its n-th use. A use is taken by creating that file exclusively, which one of many at
// once can do, and it names the key that took it: the same key may come back, should the answer have been lost.
import { createHash, timingSafeEqual } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import { ensureDir, exists, isErrno, readState, SECRET_MODE, writeState } from '../../host/files.ts';
import type { Clock, RandomBytes } from '../ambient.ts';
import { CONTROL_PLANE_ACCOUNT, isAccount } from '../policy/names.ts';
import { Secret } from './secret.ts';
import { formatToken, type JoinToken } from './token-text.ts';

const DEFAULT_TOKEN_LIFE = 3_600_000;
const MAX_TOKEN_LIFE = 365 * 24 * 3_600_000;
const MAX_USES = 1000;

export interface TokenRequest {
  /** Service, or `edge-<name>`. */
  readonly account: string;
  readonly version?: string;
  /** Fixed instance name; left out: made at redemption. Only for a token of one use. */
  readonly instance?: string;
  /** Milliseconds; default one hour. */
  readonly ttl?: number;
  /** Default 1. */
  readonly uses?: number;
  /** Who makes it, `user@host`: kept with it. */
  readonly by?: string;
}

/** What a redeemed token gives its holder. */
export interface TokenGrant {
  readonly tokenId: string;
  readonly account: string;
  readonly version: string | null;
  readonly instance: string | null;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly uses: number;
}

export interface TokenStoreOptions {
  /** State folder of the control plane; tokens are in `tokens/` under it. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** At rest. */
export interface TokenRecord extends TokenGrant {
  /** SHA-256 of the secret, base64url: 256 random bits need no slow hash. */
  readonly secretHash: string;
  /** Milliseconds since 1970; not there in records of before. */
  readonly createdAt?: number;
  /** `user@host`. */
  readonly createdBy?: string;
  /** Milliseconds since 1970; nobody joins with it from then on. */
  readonly revokedAt?: number;
}

/** Makes a token and returns its text, which is kept nowhere. Throws MeshError `usage`. */
export async function createToken(
  options: TokenStoreOptions & { readonly rootFingerprint: string },
  request: TokenRequest,
): Promise<Secret> {
  checkRequest(request);
  const id = Buffer.from(options.random(8)).toString('hex');
  const secret = new Secret(Buffer.from(options.random(32)).toString('base64url'));
  const record: TokenRecord = {
    tokenId: id,
    account: request.account,
    version: request.version ?? null,
    instance: request.instance ?? null,
    expiresAt: options.clock() + (request.ttl ?? DEFAULT_TOKEN_LIFE),
    uses: request.uses ?? 1,
    secretHash: hashOf(secret).toString('base64url'),
    createdAt: options.clock(),
    ...(request.by === undefined ? {} : { createdBy: request.by }),
  };
  const folder = join(options.stateDir, 'tokens');
  await ensureDir(options.stateDir);
  await ensureDir(folder);
  await writeState(join(folder, `${id}.json`), record);
  return new Secret(formatToken({ id, secret, rootFingerprint: options.rootFingerprint }));
}

/**
 * What the token is good for, without using it up. Whoever does not hold the secret learns only that it is not
 * valid; whoever does learns that it has expired. Throws MeshError `state-corrupt`.
 */
export async function findToken(
  options: Pick<TokenStoreOptions, 'stateDir' | 'clock'>,
  token: JoinToken,
): Promise<Result<TokenGrant, MeshError>> {
  const record = await readState(join(options.stateDir, 'tokens', `${token.id}.json`));
  if (record === null) return refused('token-invalid', `no token ${token.id}`);
  if (!isTokenRecord(record)) throw new MeshError('state-corrupt', { detail: `the record of token ${token.id}` });
  if (!timingSafeEqual(hashOf(token.secret), Buffer.from(record.secretHash, 'base64url'))) {
    return refused('token-invalid', `a wrong secret for token ${token.id}`);
  }
  if (record.revokedAt !== undefined) return refused('token-invalid', `token ${token.id} was revoked`);
  if (options.clock() >= record.expiresAt) return refused('token-expired', `token ${token.id}`);
  const { tokenId, account, version, instance, expiresAt, uses } = record;
  return ok({ tokenId, account, version, instance, expiresAt, uses });
}

/** Milliseconds since 1970; null where there is no such token or its record is damaged. */
export async function expiryOfToken(stateDir: string, id: string): Promise<number | null> {
  try {
    const record = await readState(join(stateDir, 'tokens', `${id}.json`));
    return isTokenRecord(record) ? record.expiresAt : null;
  } catch (error) {
    if (error instanceof MeshError && error.code === 'state-corrupt') return null;
    throw error;
  }
}

/** Takes one use for a key; `token-used` where all are taken by others. */
export async function useToken(
  options: Pick<TokenStoreOptions, 'stateDir'>,
  grant: TokenGrant,
  keyFingerprint: string,
): Promise<Result<void, MeshError>> {
  for (let use = 1; use <= grant.uses; use += 1) {
    const path = join(options.stateDir, 'tokens', `${grant.tokenId}.${use}.used`);
    if ((await takeFile(path, keyFingerprint)) || (await readFile(path, 'utf8')) === keyFingerprint) {
      return ok(undefined);
    }
  }
  return refused('token-used', `token ${grant.tokenId}`);
}

/** Whether every use is taken; another key than the ones that took them cannot join with it any more. */
export async function isTokenUsedUp(stateDir: string, grant: TokenGrant): Promise<boolean> {
  for (let use = 1; use <= grant.uses; use += 1) {
    if (!(await exists(join(stateDir, 'tokens', `${grant.tokenId}.${use}.used`)))) return false;
  }
  return true;
}

async function takeFile(path: string, keyFingerprint: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', SECRET_MODE);
    try {
      await file.writeFile(keyFingerprint);
      await file.sync();
    } finally {
      await file.close();
    }
    return true;
  } catch (cause) {
    if (isErrno(cause, 'EEXIST')) return false;
    throw new MeshError('file-unreadable', { detail: path, cause });
  }
}

function checkRequest(request: TokenRequest): void {
  const { account, version, instance, ttl = DEFAULT_TOKEN_LIFE, uses = 1 } = request;
  if (!isAccount(account) || account === CONTROL_PLANE_ACCOUNT) {
    throw usage(`"${account}" cannot be the name of a service`, 'lower-case letters, digits and hyphens');
  }
  if (version !== undefined && !/^[A-Za-z0-9._-]{1,63}$/.test(version)) {
    throw usage(`"${version}" cannot be a version label`, 'as in v2');
  }
  if (instance !== undefined && (!isAccount(instance) || uses !== 1)) {
    throw usage(`"${instance}" cannot be an instance name`, 'as in orders-1, and only for a token of one use');
  }
  if (!Number.isSafeInteger(ttl) || ttl <= 0 || ttl > MAX_TOKEN_LIFE) {
    throw usage('a token lives between a second and a year', 'as in 1h');
  }
  if (!Number.isSafeInteger(uses) || uses < 1 || uses > MAX_USES) {
    throw usage(`a token has between 1 and ${MAX_USES} uses`, 'make another one');
  }
}

function usage(detail: string, hint: string): MeshError {
  return new MeshError('usage', { detail, hint });
}

function refused(code: 'token-invalid' | 'token-used' | 'token-expired', detail: string): Result<never, MeshError> {
  return err(new MeshError(code, { detail, hint: 'make a new one with `weft token create`' }));
}

function hashOf(secret: Secret): Buffer {
  return createHash('sha256').update(secret.reveal()).digest();
}

/** Whether it is what `createToken` writes, or an older version of it did. */
export function isTokenRecord(value: unknown): value is TokenRecord {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const isNullOrText = (field: unknown): boolean => field === null || typeof field === 'string';
  const hash = fields.get('secretHash');
  return (
    typeof fields.get('tokenId') === 'string' &&
    typeof fields.get('account') === 'string' &&
    isNullOrText(fields.get('version')) &&
    isNullOrText(fields.get('instance')) &&
    typeof fields.get('expiresAt') === 'number' &&
    typeof fields.get('uses') === 'number' &&
    typeof hash === 'string' &&
    Buffer.from(hash, 'base64url').length === 32 &&
    ['createdAt', 'revokedAt'].every((name) => ['undefined', 'number'].includes(typeof fields.get(name))) &&
    ['undefined', 'string'].includes(typeof fields.get('createdBy'))
  );
}

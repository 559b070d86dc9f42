// What an instance's state folder is worth: a certificate of this mesh for just this member, or a token that it can
// still join with, or nothing.
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { AuthorityFolder } from '../../../certs/authority/authority-reader.ts';
import type { GrantLedger } from '../../../certs/authority/ledger.ts';
import { verifyPeer } from '../../../certs/spiffe/peer.ts';
import { findToken, isTokenUsedUp } from '../../../certs/token/token-store.ts';
import { parseToken } from '../../../certs/token/token-text.ts';
import { identityOf } from '../../../certs/policy/names.ts';
import { certificatesOf } from '../../../certs/x509/pem.ts';
import { exists, readTextBounded } from '../../../host/files.ts';
import type { Member } from './members.ts';

export const TOKEN_FILE = 'token';

export interface StandingParts {
  readonly authority: Pick<AuthorityFolder, 'trustDomain' | 'bundle' | 'rootFingerprint'>;
  readonly ledger: Pick<GrantLedger, 'grantOf'>;
  /** State folder of the control plane. */
  readonly stateDir: string;
  readonly clock: () => number;
}

export type Standing = 'certificate' | 'token' | 'none';

/** Throws MeshError `file-unreadable` or `state-corrupt`. */
export async function standingOf(folder: string, member: Member, parts: StandingParts): Promise<Standing> {
  if (await hasCertificate(folder, member, parts)) return 'certificate';
  return (await hasToken(folder, member, parts)) ? 'token' : 'none';
}

async function hasCertificate(folder: string, member: Member, parts: StandingParts): Promise<boolean> {
  const { authority, ledger, clock } = parts;
  const pem = await textOf(join(folder, 'svid.pem'));
  if (pem === null || !(await exists(join(folder, 'key.pem')))) return false;
  const chain = certificatesOf(pem);
  const [leaf] = chain.ok ? chain.value : [];
  if (!chain.ok || leaf === undefined || !leadsTo(chain.value, authority.bundle)) return false;
  const identity = identityOf(authority.trustDomain, member.account);
  const peer = verifyPeer(leaf, { trustDomain: authority.trustDomain, identity });
  if (!peer.ok || peer.value.notAfter <= clock()) return false;
  const grant = ledger.grantOf(peer.value.serial);
  return grant !== null && isFor(grant, member);
}

async function hasToken(folder: string, member: Member, parts: StandingParts): Promise<boolean> {
  const text = await textOf(join(folder, TOKEN_FILE));
  const token = text === null ? null : parseToken(text);
  if (token?.ok !== true || token.value.rootFingerprint !== parts.authority.rootFingerprint) return false;
  const grant = await findToken(parts, token.value);
  if (!grant.ok || !isFor(grant.value, member)) return false;
  return !(await isTokenUsedUp(parts.stateDir, grant.value));
}

function isFor(
  grant: { readonly account: string; readonly version: string | null; readonly instance: string | null },
  member: Member,
): boolean {
  return grant.account === member.account && grant.version === member.version && grant.instance === member.instance;
}

function leadsTo(chain: readonly Buffer[], roots: readonly Buffer[]): boolean {
  try {
    const last = chain.at(-1);
    return last !== undefined && roots.some((root) => verifies(last, root));
  } catch {
    // What is no certificate leads nowhere.
    return false;
  }
}

function verifies(certificate: Buffer, root: Buffer): boolean {
  return new X509Certificate(certificate).verify(new X509Certificate(root).publicKey);
}

async function textOf(path: string): Promise<string | null> {
  return (await exists(path)) ? readTextBounded(path, 256 * 1024) : null;
}

// Signs for a grant and records it, in this order and never one without the other: a certificate that is not in
// the ledger is never handed out.
import type { KeyObject } from 'node:crypto';
import type { SpiffeId } from '../../core/model/brand.ts';
import type { Clock } from '../ambient.ts';
import { identityOf } from '../policy/names.ts';
import { keyFingerprint } from '../x509/key.ts';
import type { Authority, IssuedCertificate } from './authority.ts';
import type { Grant, GrantLedger } from './ledger.ts';

export interface IssuingParts {
  readonly authority: Authority;
  readonly ledger: GrantLedger;
  readonly clock: Clock;
}

/** What a workload is, by its token: the same through all of its renewals. */
export type Holder = Pick<Grant, 'account' | 'version' | 'instance' | 'tokenId'>;

export interface IssuedSvid extends IssuedCertificate {
  readonly identity: SpiffeId;
}

export async function issueSvid(parts: IssuingParts, holder: Holder, publicKey: KeyObject): Promise<IssuedSvid> {
  const identity = identityOf(parts.authority.trustDomain, holder.account);
  const issued = await parts.authority.signSvid({ publicKey, identity });
  await parts.ledger.record(grantFor(parts, 'svid', holder, publicKey, issued));
  return { ...issued, identity };
}

export async function issueServerCertificate(
  parts: IssuingParts,
  holder: Holder,
  publicKey: KeyObject,
  hosts: readonly string[],
): Promise<IssuedCertificate> {
  const issued = await parts.authority.signServerCertificate({ publicKey, hosts });
  await parts.ledger.record(grantFor(parts, 'server', holder, publicKey, issued));
  return issued;
}

function grantFor(
  parts: IssuingParts,
  purpose: Grant['purpose'],
  holder: Holder,
  publicKey: KeyObject,
  issued: IssuedCertificate,
): Grant {
  return {
    serial: issued.serial,
    purpose,
    identity: identityOf(parts.authority.trustDomain, holder.account),
    account: holder.account,
    version: holder.version,
    instance: holder.instance,
    tokenId: holder.tokenId,
    key: keyFingerprint(publicKey),
    notAfter: issued.notAfter,
    issuedAt: parts.clock(),
  };
}

// Who a stream belongs to: the SVID proves the account, the grant behind its serial says which version and
// which instance. Nothing that the peer says about itself counts.
import { err, ok, type Result } from '../../core/kit/result.ts';
import { verifyPeer } from '../../certs/spiffe/peer.ts';
import type { Grant } from '../../certs/authority/ledger.ts';

export interface StreamPeer {
  readonly account: string;
  readonly version: string | null;
  readonly instance: string;
  /** End of its certificate, ms since 1970. */
  readonly notAfter: number;
}

export interface PeerPolicy {
  readonly trustDomain: string;
  /** The grant behind a serial; null: never issued here, or expired. */
  readonly grantOf: (serial: string) => Grant | null;
}

/**
 * @param certificate DER of the leaf whose chain TLS has verified; null where there was none
 * @returns the peer, or why it is none of this mesh, in words for it and for the log
 */
export function peerOf(certificate: Uint8Array | null, policy: PeerPolicy): Result<StreamPeer, string> {
  if (certificate === null) return err('no client certificate');
  const verified = verifyPeer(certificate, { trustDomain: policy.trustDomain });
  if (!verified.ok) return verified;
  const { id, serial, notAfter } = verified.value;
  const grant = policy.grantOf(serial);
  if (grant === null || grant.purpose !== 'svid' || grant.identity !== id) {
    return err(`the certificate of ${id} was not issued by this control plane: join again with a new token`);
  }
  return ok({ account: grant.account, version: grant.version, instance: grant.instance, notAfter });
}

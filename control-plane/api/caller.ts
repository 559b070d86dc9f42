// Who asks: by a certificate of an operator, or by the right to open the Unix socket.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { err, ok, type Result } from '../../core/kit/result.ts';
import { operatorOf, type Role } from '../../certs/policy/operator.ts';
import { verifyPeer } from '../../certs/spiffe/peer.ts';

export interface Caller {
  /** '' on the Unix socket: there a caller names itself. */
  readonly name: string;
  readonly role: Role;
  /** When it loses its right, ms since 1970. */
  readonly until: number;
}

/** Whoever may open the socket owns the state folder. */
const OWNER: Caller = { name: '', role: 'admin', until: Number.POSITIVE_INFINITY };

const OTHER_AUTHORITY = 'the certificate is not of the authority of this mesh';
const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate has expired',
  UNABLE_TO_GET_ISSUER_CERT: OTHER_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OTHER_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: OTHER_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: OTHER_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OTHER_AUTHORITY,
  CERT_NOT_YET_VALID: 'the certificate is not valid yet: do both clocks agree?',
};

/** The error says in words for the caller why it is nobody. `now`: ms since 1970. */
export function callerOf(socket: Socket, trustDomain: string, now: number): Result<Caller, string> {
  if (!(socket instanceof TLSSocket)) return ok(OWNER);
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return err('a certificate of an operator is needed');
  if (!socket.authorized) {
    const code = String(socket.authorizationError);
    return err(REASONS[code] ?? `the certificate cannot be used here: ${code}`);
  }
  const peer = verifyPeer(certificate, { trustDomain });
  if (!peer.ok) return err(peer.error);
  const { id, notAfter } = peer.value;
  const operator = operatorOf(id);
  if (operator === null) return err(`${id} is no operator`);
  // A connection may outlive the certificate that it began with.
  return now < notAfter ? ok({ ...operator, until: notAfter }) : err('the certificate has expired');
}

// Verifies a chain of certificates as TLS does, but by rules that are written down here and with a reason for each
// refusal: for commands, for files that somebody brings, and wherever a chain did not come through a handshake.
// Source: RFC 5280 §6.1, SPIFFE X509-SVID §5.
import type { KeyObject } from 'node:crypto';
import { err, ok, type Result } from '../../core/kit/result.ts';
import { admitKey } from '../policy/request-policy.ts';
import { readCertificate, type CertificateFields } from '../x509/certificate.ts';
import { readCrl, type CrlFields } from '../x509/crl.ts';
import { decoding } from '../x509/der-reader.ts';
import { readPublicKey } from '../x509/key.ts';
import { constraintBroken } from '../x509/name-constraints.ts';
import { OID } from '../x509/oids.ts';
import { signatureHolds } from '../x509/signature.ts';
import { verifyPeer, type ExpectedPeer, type Peer } from './peer.ts';

export interface ChainQuestion {
  /** As it was shown: the leaf, then whatever may lead to a root; DER. */
  readonly chain: readonly Uint8Array[];
  /** Roots that are trusted; DER. */
  readonly bundle: readonly Uint8Array[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What the leaf is used as; left out: either. */
  readonly role?: 'client' | 'server';
  /** Lists of revoked certificates; those of others than the chain's issuers are passed over. DER. */
  readonly crls?: readonly Uint8Array[];
}

export interface VerifiedChain {
  readonly leaf: CertificateFields;
  /** The leaf, then who signed it, up to the root. */
  readonly path: readonly CertificateFields[];
}

/** A chain of a mesh: leaf, intermediate, root; of a company: two or three more. */
const MOST_LENGTH = 8;
const MOST_CERTIFICATES = 32;

interface Candidate extends CertificateFields {
  readonly key: KeyObject;
}

/** Chain and identity: whatever an SVID has to be. */
export function verifySvid(question: ChainQuestion & ExpectedPeer): Result<Peer, string> {
  const verified = verifyChain(question);
  if (!verified.ok) return verified;
  const [leaf = new Uint8Array()] = question.chain;
  return verifyPeer(leaf, question);
}

/** The error is one clause that goes on from "it is refused: ". */
export function verifyChain(question: ChainQuestion): Result<VerifiedChain, string> {
  const { chain, bundle, now, role } = question;
  if (chain.length + bundle.length > MOST_CERTIFICATES) return err(`more than ${MOST_CERTIFICATES} certificates`);
  const shown = readAll(chain, 'its certificate');
  if (!shown.ok) return shown;
  const roots = readAll(bundle, 'a root');
  if (!roots.ok) return roots;
  const [leaf, ...others] = shown.value;
  if (leaf === undefined) return err('it has no certificate');
  if (leaf.extensions.isAuthority) return err('its certificate is one of an authority');
  const path = pathOf(leaf, others, roots.value);
  if (!path.ok) return path;
  const flaw = flawOf(path.value, now) ?? purposeFlaw(path.value, role) ?? constraintFlaw(path.value);
  if (flaw !== null) return err(flaw);
  const revoked = revocationOf(path.value, question.crls ?? []);
  return revoked === null ? ok({ leaf, path: path.value }) : err(revoked);
}

function readAll(list: readonly Uint8Array[], what: string): Result<readonly Candidate[], string> {
  const read: Candidate[] = [];
  for (const der of list) {
    const fields = readCertificate(der);
    if (!fields.ok) return err(`${what} cannot be read: ${fields.error}`);
    const key = readPublicKey(fields.value.spki);
    if (!key.ok) return err(`${what} cannot be read: ${key.error}`);
    read.push({ ...fields.value, key: key.value });
  }
  return ok(read);
}

/** By names and signatures alone: what else is wrong is said of the path that was found. */
function pathOf(
  leaf: Candidate,
  others: readonly Candidate[],
  roots: readonly Candidate[],
): Result<readonly Candidate[], string> {
  const path = [leaf];
  let last = leaf;
  while (path.length < MOST_LENGTH) {
    const named = (candidate: Candidate): boolean => candidate.subject.equals(last.issuer);
    const anchors = roots.filter(named);
    const between = others.filter((candidate) => named(candidate) && !path.includes(candidate));
    let flaw: string | null = null;
    let next: Candidate | null = null;
    for (const candidate of [...anchors, ...between]) {
      if (!isKeyOf(candidate, last)) {
        flaw = `another authority of the same name signed ${whichOf(path)}`;
        continue;
      }
      const holds = decoding(() => signatureHolds(last.signed, candidate.key));
      if (!holds.ok) flaw = `${whichOf(path)} has ${holds.error}`;
      else if (!holds.value) flaw = `the signature of ${whichOf(path)} does not hold`;
      else next ??= candidate;
    }
    if (next === null) return err(flaw ?? `nobody of the bundle signed ${whichOf(path)}`);
    path.push(next);
    if (anchors.includes(next)) return ok(path);
    last = next;
  }
  return err(`a chain of more than ${MOST_LENGTH} certificates`);
}

/** By the key identifiers, where both have one. */
function isKeyOf(issuer: Candidate, issued: Candidate): boolean {
  const [own, named] = [issuer.extensions.subjectKeyId, issued.extensions.authorityKeyId];
  return own === null || named === null || own.equals(named);
}

/** Of each certificate by itself, and of the authorities as such. */
function flawOf(path: readonly Candidate[], now: number): string | null {
  for (const [index, { notBefore, notAfter, key, extensions }] of path.entries()) {
    const which = whichOf(path.slice(0, index + 1), index === path.length - 1);
    if (now < notBefore) return `${which} is not valid before ${new Date(notBefore).toISOString()}`;
    if (now >= notAfter) return `${which} expired on ${new Date(notAfter).toISOString()}`;
    const admitted = admitKey(key);
    if (!admitted.ok) return `${which} has ${admitted.error}, which is not accepted`;
    if (index === 0) continue;
    if (!extensions.isAuthority) return `${which} is not one of an authority`;
    if (extensions.keyUsage?.has('keyCertSign') === false) return `${which} may not sign certificates`;
    // Intermediates below it; the leaf is none. Source: RFC 5280 §4.2.1.9.
    if (extensions.pathLength !== null && index - 1 > extensions.pathLength) {
      return `${which} may not have ${index - 1} authorities below it`;
    }
  }
  return null;
}

/** Authorities may be limited to purposes too. */
function purposeFlaw(path: readonly Candidate[], role: 'client' | 'server' | undefined): string | null {
  if (role === undefined) return null;
  const needed = role === 'client' ? OID.clientAuth : OID.serverAuth;
  for (const [index, { extensions }] of path.entries()) {
    const may = extensions.extendedKeyUsage;
    if (may === null || may.includes(needed) || (index > 0 && may.includes(OID.anyExtendedKeyUsage))) continue;
    return `${whichOf(path.slice(0, index + 1), index === path.length - 1)} is not for ${role}s`;
  }
  return null;
}

function constraintFlaw(path: readonly Candidate[]): string | null {
  for (const [index, { extensions }] of path.entries()) {
    const { nameConstraints } = extensions;
    if (nameConstraints === null) continue;
    if (index === 0) return 'its certificate has name constraints, which only an authority may have';
    for (const below of path.slice(0, index)) {
      // An empty SEQUENCE has two bytes.
      const broken = constraintBroken(nameConstraints, below.extensions.names, below.subject.length > 2);
      if (broken !== null) return `its authority may not certify ${broken}`;
    }
  }
  return null;
}

function revocationOf(path: readonly Candidate[], crls: readonly Uint8Array[]): string | null {
  for (const der of crls) {
    const crl = readCrl(der);
    if (!crl.ok) return `a list of revoked certificates cannot be read: ${crl.error}`;
    const flaw = revokedBy(path, crl.value);
    if (flaw !== null) return flaw;
  }
  return null;
}

function revokedBy(path: readonly Candidate[], crl: CrlFields): string | null {
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1];
    if (issuer === undefined || !crl.issuer.equals(issuer.subject)) continue;
    const holds = decoding(() => signatureHolds(crl.signed, issuer.key));
    // Of another authority with the same name, an older key perhaps.
    if (!holds.ok || !holds.value) continue;
    const entry = crl.revoked.get(certificate.serial);
    if (entry === undefined) continue;
    const why = entry.reason === 'unspecified' ? '' : ` (${entry.reason})`;
    return `${whichOf(path.slice(0, index + 1))} was revoked on ${new Date(entry.revokedAt).toISOString()}${why}`;
  }
  return null;
}

/** The last of a path, in words. */
function whichOf(path: readonly Candidate[], isRoot = false): string {
  if (path.length === 1) return 'its certificate';
  return isRoot ? 'the root' : 'the certificate of an authority above it';
}

// Certificates, requests, lists and keys in plain words: what they prove, for whom, for how long, and what is wrong.
import { createHash, type KeyObject } from 'node:crypto';
import { edgeOf, CONTROL_PLANE_ACCOUNT } from '../../../certs/policy/names.ts';
import { operatorOf } from '../../../certs/policy/operator.ts';
import { admitKey } from '../../../certs/policy/request-policy.ts';
import { parseSpiffeId, workloadOf } from '../../../certs/spiffe/spiffe-id.ts';
import type { CertificateView } from '../../../certs/x509/certificate-view.ts';
import type { CrlFields } from '../../../certs/x509/crl.ts';
import type { GeneralName } from '../../../certs/x509/general-name.ts';
import { describeKey, keyFingerprint } from '../../../certs/x509/key.ts';
import { describeName } from '../../../certs/x509/name.ts';
import { OID } from '../../../certs/x509/oids.ts';
import type { Artifact } from './artifacts.ts';
import { moment, span } from './flags.ts';

/** One line that says what it is. */
export function headline(artifact: Artifact): string {
  switch (artifact.kind) {
    case 'certificate':
      return purposeOf(artifact.view);
    case 'request':
      return 'a request for a certificate, signed by the key that it is for';
    case 'crl':
      return `a list of ${artifact.crl.revoked.size} revoked certificates`;
    case 'private-key':
      return `a private key${artifact.encrypted ? ', encrypted' : ', not encrypted'}`;
    case 'public-key':
      return 'a public key';
    case 'locked':
      return 'a PKCS#12 file';
    case 'unreadable':
      return `${artifact.what} that cannot be read`;
  }
}

/** Label and text, in the order in which people ask. `now`: milliseconds since 1970. */
export function factsOf(artifact: Artifact, now: number): readonly (readonly [string, string])[] {
  switch (artifact.kind) {
    case 'certificate':
      return certificateFacts(artifact.view, artifact.der, now);
    case 'request': {
      const { names, publicKey } = artifact.request;
      return [['asks for', names.length === 0 ? 'no names' : listOf(names)], ...keyFacts(publicKey)];
    }
    case 'crl':
      return crlFacts(artifact.crl, now);
    case 'private-key':
      return artifact.key === null
        ? [['key', 'its passphrase is needed to say more: --password-file']]
        : keyFacts(artifact.key);
    case 'public-key':
      return keyFacts(artifact.key);
    case 'locked':
    case 'unreadable':
      return [['why', artifact.why]];
  }
}

/** What would have it refused, whatever it is for. */
export function problemsOf(artifact: Artifact, now: number): readonly string[] {
  if (artifact.kind === 'unreadable') return [`${artifact.what}: ${artifact.why}`];
  if (artifact.kind === 'crl') {
    const { nextUpdate } = artifact.crl;
    return nextUpdate !== null && now >= nextUpdate ? [`a newer list was due on ${moment(nextUpdate)}`] : [];
  }
  if (artifact.kind !== 'certificate') return [];
  const { notBefore, notAfter, key, algorithm, problems, isAuthority, isSelfIssued } = artifact.view;
  const admitted = key === null ? null : admitKey(key);
  return [
    ...(now >= notAfter ? [`it expired ${span(now - notAfter)} ago`] : []),
    ...(now < notBefore ? [`it is not valid for another ${span(notBefore - now)}`] : []),
    ...(admitted?.ok === false ? [`it has ${admitted.error}`] : []),
    ...(key === null ? ['its key cannot be read'] : []),
    // A root's own signature proves nothing, and nobody looks at it.
    ...(/SHA-1|MD5/.test(algorithm) && !(isAuthority && isSelfIssued)
      ? [`it is signed by ${algorithm}, which can be forged`]
      : []),
    ...problems,
  ];
}

function purposeOf(view: CertificateView): string {
  const { names, isAuthority, extendedKeyUsage: usage } = view;
  const uris = names.filter(({ kind }) => kind === 'uri').map(({ value }) => value);
  if (isAuthority) {
    const domain = /^spiffe:\/\/([^/]+)$/.exec(uris[0] ?? '')?.[1];
    const what = view.isSelfIssued ? 'the root certificate' : 'the certificate of an intermediate authority';
    return `${what}${domain === undefined ? '' : ` of the trust domain ${domain}`}`;
  }
  const [uri, ...others] = uris;
  const id = uri === undefined || others.length > 0 ? null : parseSpiffeId(uri);
  if (id?.ok === true) {
    const operator = operatorOf(id.value.id);
    if (operator !== null) return `the certificate of the operator ${operator.name} (${operator.role})`;
    const workload = workloadOf(id.value);
    if (workload !== null) return `the identity of ${accountInWords(workload.account)}`;
    return `the identity ${id.value.id}`;
  }
  if (usage?.includes(OID.serverAuth) === true && !usage.includes(OID.clientAuth)) return "a server's certificate";
  if (usage?.includes(OID.clientAuth) === true && !usage.includes(OID.serverAuth)) return "a client's certificate";
  return 'a certificate';
}

function accountInWords(account: string): string {
  if (account === CONTROL_PLANE_ACCOUNT) return 'the control plane';
  const edge = edgeOf(account);
  return edge === null ? `the service ${account}` : `the edge ${edge}`;
}

function certificateFacts(view: CertificateView, der: Buffer, now: number): readonly (readonly [string, string])[] {
  const { names, subject, issuer, notBefore, notAfter, key, nameConstraints, otherExtensions } = view;
  const left = now >= notAfter ? `expired ${span(now - notAfter)} ago` : `${span(notAfter - now)} left`;
  const limits = [
    ...(nameConstraints?.permitted.map(({ base }) => `only ${base}`) ?? []),
    ...(nameConstraints?.excluded.map(({ base }) => `not ${base}`) ?? []),
  ];
  return [
    ...(names.length === 0 ? [] : [['names', listOf(names)] as const]),
    ...(subject === '' ? [] : [['subject', subject] as const]),
    ['may', mayDo(view)],
    ['valid', `${moment(notBefore)} to ${moment(notAfter)}: ${left}`],
    ['issued by', view.isSelfIssued ? 'itself' : issuer],
    ['signature', view.algorithm],
    ...(key === null ? [] : keyFacts(key)),
    ...(limits.length === 0 ? [] : [['certifies', limits.join(', ')] as const]),
    ...(otherExtensions.length === 0
      ? []
      : [
          [
            'also has',
            otherExtensions.map(({ id, critical }) => `${id}${critical ? ' (critical)' : ''}`).join(', '),
          ] as const,
        ]),
    ['serial', view.serial],
    ['SHA-256', createHash('sha256').update(der).digest('hex')],
  ];
}

function mayDo({ isAuthority, pathLength, keyUsage, extendedKeyUsage: usage }: CertificateView): string {
  if (isAuthority) {
    const depth = pathLength === 0 ? ', but of no authorities' : ', also of authorities below it';
    return keyUsage?.has('keyCertSign') === false
      ? 'nothing: an authority that may not sign'
      : `sign certificates${depth}`;
  }
  const roles = [
    ...(usage?.includes(OID.serverAuth) === true ? ['as a server'] : []),
    ...(usage?.includes(OID.clientAuth) === true ? ['as a client'] : []),
  ];
  if (usage === null) return 'prove itself to others, as a server and as a client';
  return roles.length === 0 ? 'nothing that TLS asks for' : `prove itself to others ${roles.join(' and ')}`;
}

function crlFacts(crl: CrlFields, now: number): readonly (readonly [string, string])[] {
  const { thisUpdate, nextUpdate, number, revoked } = crl;
  const shown = [...revoked.values()].slice(0, 20).map(({ serial, revokedAt, reason }) => {
    return ['revoked', `${serial} on ${moment(revokedAt)}${reason === 'unspecified' ? '' : ` (${reason})`}`] as const;
  });
  const due =
    nextUpdate === null
      ? 'never'
      : `${moment(nextUpdate)} (${now < nextUpdate ? 'in' : 'overdue by'} ${span(nextUpdate - now)})`;
  return [
    ['issued by', describeName(crl.issuer)],
    ['made', `${moment(thisUpdate)}; the next one ${due}`],
    ...(number === null ? [] : [['number', String(number)] as const]),
    ...shown,
    ...(revoked.size > shown.length
      ? [['…', `and ${revoked.size - shown.length} more (--json has all)`] as const]
      : []),
  ];
}

function keyFacts(key: KeyObject): readonly (readonly [string, string])[] {
  return [['key', `${describeKey(key)}, ${keyFingerprint(key)}`]];
}

function listOf(names: readonly GeneralName[]): string {
  return names.map(({ kind, value }) => (kind === 'other' ? `a name of another kind (${value})` : value)).join(', ');
}

// `weft ca verify`: would this certificate be accepted, and if not, why not. By the rules of certs/spiffe, which need no
// running mesh.
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { readAuthority } from '../../../certs/authority/authority-reader.ts';
import { identityOf } from '../../../certs/policy/names.ts';
import { verifyChain, verifySvid, type ChainQuestion } from '../../../certs/spiffe/chain.ts';
import { parseSpiffeId } from '../../../certs/spiffe/spiffe-id.ts';
import { viewCertificate, type CertificateView } from '../../../certs/x509/certificate-view.ts';
import { blocksOf, certificatesOf } from '../../../certs/x509/pem.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { err, ok, type Result } from '../../../core/kit/result.ts';
import { readTextBounded } from '../../../host/files.ts';
import { ambient, moment, span } from './flags.ts';
import { lookAt } from './inspect.ts';
import { headline } from './words.ts';

type Print = (line: string) => void;

export interface CaVerifyArgs {
  /** A file, or `host:port`. */
  readonly what: string;
  /** The authority. */
  readonly dir: string;
  /** In its place: roots to be trusted; PEM file. */
  readonly roots?: string;
  readonly passwordFile?: string;
  /** For SNI. */
  readonly name?: string;
  readonly for?: 'client' | 'server';
  /** The service that it must be. */
  readonly service?: string;
  /** The host name or address that it must be for. */
  readonly host?: string;
  /** Files of lists of revoked certificates; PEM. */
  readonly crl: readonly string[];
  /** A moment in place of now, as in 2027-01-01. */
  readonly at?: string;
  readonly json: boolean;
}

interface Trusted {
  readonly bundle: readonly Uint8Array[];
  /** null: whichever the certificate is of. */
  readonly trustDomain: string | null;
}

/** Exit code: 1 where it is refused. Throws MeshError `usage`, `file-unreadable`, `authority-missing` or `connect-failed`. */
export async function runCaVerify(args: CaVerifyArgs, out: Print): Promise<number> {
  const trusted = await trustedBy(args);
  const { artifacts } = await lookAt(args);
  const chain = artifacts.flatMap((artifact) => (artifact.kind === 'certificate' ? [artifact.der] : []));
  const [first] = artifacts.filter(({ kind }) => kind === 'certificate');
  if (first === undefined) throw new MeshError('usage', { detail: `${args.what} holds no certificate` });
  const now = args.at === undefined ? ambient.clock() : momentOf(args.at);
  const crls = (await Promise.all(args.crl.map(listsOf))).flat();
  const role = args.for === undefined ? {} : { role: args.for };
  const verdict = verdictOf({ chain, bundle: trusted.bundle, now, crls, ...role }, trusted, args);
  if (args.json) {
    const why = verdict.ok ? {} : { reason: verdict.error };
    out(JSON.stringify({ source: args.what, ok: verdict.ok, summary: headline(first), ...why }, null, 2));
  } else if (verdict.ok) {
    const { notAfter } = verdict.value;
    out(`ok: ${headline(first)}, until ${moment(notAfter)} (${span(notAfter - now)})`);
  } else out(`refused: ${headline(first)}: ${verdict.error}`);
  return verdict.ok ? 0 : 1;
}

function verdictOf(
  question: ChainQuestion,
  trusted: Trusted,
  args: Pick<CaVerifyArgs, 'service' | 'host'>,
): Result<{ readonly notAfter: number }, string> {
  const [leaf = new Uint8Array()] = question.chain;
  const view = viewCertificate(leaf);
  if (!view.ok) return view;
  const { service, host } = args;
  const own = trustDomainIn(view.value);
  // Without a SPIFFE id it is no identity of a mesh: then the chain and the host are all that there is to it.
  if (own === null && service === undefined) {
    const verified = verifyChain(question);
    if (!verified.ok) return verified;
    return host === undefined ? ok(verified.value.leaf) : hostHolds(leaf, host, verified.value.leaf.notAfter);
  }
  const trustDomain = trusted.trustDomain ?? own ?? '';
  const identity = service === undefined ? {} : { identity: identityOf(trustDomain, service) };
  const peer = verifySvid({ ...question, trustDomain, ...identity });
  if (!peer.ok) return peer;
  return host === undefined ? ok(peer.value) : hostHolds(leaf, host, peer.value.notAfter);
}

function hostHolds(leaf: Uint8Array, host: string, notAfter: number): Result<{ readonly notAfter: number }, string> {
  const parsed = new X509Certificate(leaf);
  const found = isIP(host) === 0 ? parsed.checkHost(host, { subject: 'never' }) : parsed.checkIP(host);
  return found === undefined ? err(`it is not for ${host}`) : ok({ notAfter });
}

function trustDomainIn(view: CertificateView): string | null {
  const uri = view.names.find(({ kind }) => kind === 'uri');
  const id = uri === undefined ? null : parseSpiffeId(uri.value);
  return id?.ok === true ? id.value.trustDomain : null;
}

async function trustedBy({ dir, roots }: CaVerifyArgs): Promise<Trusted> {
  if (roots === undefined) {
    const folder = await readAuthority(dir);
    return { bundle: folder.roots.map(({ der }) => der), trustDomain: folder.trustDomain };
  }
  const list = certificatesOf(await readTextBounded(roots, 256 * 1024));
  if (!list.ok) throw new MeshError('usage', { detail: `${roots}: ${list.error}`, hint: 'certificates in PEM' });
  return { bundle: list.value, trustDomain: null };
}

async function listsOf(file: string): Promise<readonly Uint8Array[]> {
  const blocks = blocksOf(await readTextBounded(file));
  const lists = blocks.ok ? blocks.value.filter(({ label }) => label === 'X509 CRL') : [];
  if (lists.length > 0) return lists.map(({ der }) => der);
  throw new MeshError('usage', { detail: `${file} holds no list of revoked certificates`, hint: 'X509 CRL in PEM' });
}

function momentOf(text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new MeshError('usage', {
    detail: `--at needs a moment, found '${text}'`,
    hint: 'as in 2027-01-01 or 2027-01-01T12:00:00Z',
  });
}

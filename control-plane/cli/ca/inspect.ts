// `weft ca inspect`: says in plain words what is in a file, or what a live server shows. Secrets are opened where a
// password is given, and never shown.
import { createHash, X509Certificate, type KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { describeKey, keyFingerprint, sameKey } from '../../../certs/x509/key.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { exists, fileDetail } from '../../../host/files.ts';
import { readAddress } from '../../../host/setting-kinds.ts';
import { artifactsOf, type Artifact } from './artifacts.ts';
import { ambient, secretOf } from './flags.ts';
import { fetchLiveChain, type LiveChain } from './live.ts';
import { factsOf, headline, problemsOf } from './words.ts';

type Print = (line: string) => void;

export interface CaInspectArgs {
  /** A file, or `host:port`. */
  readonly what: string;
  /** Of a PKCS#12 file or an encrypted key. */
  readonly passwordFile?: string;
  /** For SNI. */
  readonly name?: string;
  readonly json: boolean;
}

const MAX_FILE = 4 * 1024 * 1024;

/** Exit code: 1 where something in it would be refused. Throws MeshError `file-unreadable`, `connect-failed` or `usage`. */
export async function runCaInspect(args: CaInspectArgs, out: Print): Promise<number> {
  const { artifacts, live } = await lookAt(args);
  const now = ambient.clock();
  const notes = notesOn(artifacts);
  if (args.json) {
    const items = artifacts.map((artifact) => ({ ...asJson(artifact), problems: problemsOf(artifact, now) }));
    const shown = live === null ? {} : { live: { protocol: live.protocol, cipher: live.cipher, alpn: live.alpn } };
    out(JSON.stringify({ source: args.what, ...shown, items, notes }, null, 2));
  } else {
    if (live !== null)
      out(`${args.what} speaks ${live.protocol}${live.alpn === null ? '' : ` and ${live.alpn}`}, and shows:`);
    for (const [index, artifact] of artifacts.entries()) {
      out(`${artifacts.length === 1 ? '' : `${index + 1}. `}${headline(artifact)}`);
      for (const [label, text] of factsOf(artifact, now)) out(`   ${label.padEnd(10)} ${text}`);
      for (const problem of problemsOf(artifact, now)) out(`   WRONG      ${problem}`);
    }
    notes.forEach(out);
  }
  return artifacts.some((artifact) => problemsOf(artifact, now).length > 0) ? 1 : 0;
}

/** What a file holds, or a live server shows. */
export async function lookAt(
  args: Pick<CaInspectArgs, 'what' | 'passwordFile' | 'name'>,
): Promise<{ artifacts: readonly Artifact[]; live: LiveChain | null }> {
  const { what } = args;
  const password = await secretOf('--password-file', args.passwordFile);
  const address = readAddress('127.0.0.1')(what);
  if (address.ok && what.includes(':') && !(await exists(what))) {
    const live = await fetchLiveChain(address.value, args.name ?? null);
    const found = await Promise.all(live.chain.map((der) => artifactsOf(der, null)));
    return { live, artifacts: found.flatMap((each) => (each.ok ? each.value : [])) };
  }
  const artifacts = await artifactsOf(await readBytes(what), password);
  if (artifacts.ok) return { artifacts: artifacts.value, live: null };
  throw new MeshError('usage', {
    detail: `${what}: ${artifacts.error}`,
    hint: 'certificates, requests, lists, keys: PEM, DER or PKCS#12',
  });
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE + 1), 0, MAX_FILE + 1, null);
      if (bytesRead > MAX_FILE) throw new Error(`longer than ${MAX_FILE} bytes`);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new MeshError('file-unreadable', { detail: fileDetail(path, cause), cause });
  }
}

/** How what is in one file belongs together. */
function notesOn(artifacts: readonly Artifact[]): readonly string[] {
  const certificates = artifacts.flatMap((artifact) => (artifact.kind === 'certificate' ? [artifact] : []));
  const notes: string[] = [];
  for (const [index, { der, view }] of certificates.entries()) {
    const next = certificates[index + 1];
    if (next === undefined) break;
    if (!view.isSelfIssued && !signedBy(der, next.der))
      notes.push(`Certificate ${index + 1} is not signed by the one after it.`);
  }
  const [leaf] = certificates;
  for (const artifact of artifacts) {
    if (artifact.kind !== 'private-key' || artifact.key === null || leaf === undefined) continue;
    notes.push(
      leaf.view.key !== null && sameKey(leaf.view.key, artifact.key)
        ? 'The private key is that of the first certificate.'
        : 'The private key is NOT that of the first certificate.',
    );
  }
  return notes;
}

function signedBy(der: Buffer, issuer: Buffer): boolean {
  try {
    const above = new X509Certificate(issuer);
    const below = new X509Certificate(der);
    return below.checkIssued(above) && below.verify(above.publicKey);
  } catch {
    return false;
  }
}

function asJson(artifact: Artifact): Record<string, unknown> {
  const what = { kind: artifact.kind, summary: headline(artifact) };
  switch (artifact.kind) {
    case 'certificate': {
      const { view, der } = artifact;
      return {
        ...what,
        ...{ names: view.names, subject: view.subject, issuer: view.issuer, serial: view.serial },
        ...{ notBefore: new Date(view.notBefore).toISOString(), notAfter: new Date(view.notAfter).toISOString() },
        ...{ isAuthority: view.isAuthority, pathLength: view.pathLength, signature: view.algorithm },
        ...{ keyUsage: [...(view.keyUsage ?? [])], extendedKeyUsage: view.extendedKeyUsage },
        ...keyJson(view.key),
        sha256: createHash('sha256').update(der).digest('hex'),
      };
    }
    case 'request':
      return { ...what, names: artifact.request.names, ...keyJson(artifact.request.publicKey) };
    case 'crl': {
      const { thisUpdate, nextUpdate, number, revoked } = artifact.crl;
      const times = { thisUpdate: isoOf(thisUpdate), nextUpdate: nextUpdate === null ? null : isoOf(nextUpdate) };
      return {
        ...what,
        ...times,
        number,
        revoked: [...revoked.values()].map((each) => ({ ...each, revokedAt: isoOf(each.revokedAt) })),
      };
    }
    case 'private-key':
      return { ...what, encrypted: artifact.encrypted, ...keyJson(artifact.key) };
    case 'public-key':
      return { ...what, ...keyJson(artifact.key) };
    case 'locked':
    case 'unreadable':
      return { ...what, why: artifact.why };
  }
}

function keyJson(key: KeyObject | null): Record<string, unknown> {
  return { key: key === null ? null : { kind: describeKey(key), sha256: keyFingerprint(key) } };
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}

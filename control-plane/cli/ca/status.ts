// `weft ca status`: what the authority is, how long it lasts, where its keys are and what it has given out.
import { join } from 'node:path';
import { readAuthority, type AuthorityFolder } from '../../../certs/authority/authority-reader.ts';
import { readIssuances, type Issuance } from '../../../certs/authority/issuance-log.ts';
import { AUTHORITY_FILES, type StoredCertificate } from '../../../certs/authority/stored-certificate.ts';
import { describeKey, isEncryptedKey } from '../../../certs/x509/key.ts';
import { describeName } from '../../../certs/x509/name.ts';
import { exists, readTextBounded } from '../../../host/files.ts';
import { ambient, moment, span } from './flags.ts';

type Print = (line: string) => void;

export interface CaStatusArgs {
  readonly dir: string;
  /** Every certificate that was given out here and is still valid. */
  readonly issued: boolean;
  readonly json: boolean;
}

const DAY = 24 * 3_600_000;
/** Before that nobody need think of it. */
const SOON = 30 * DAY;

interface KeyPlaces {
  readonly root: 'here' | 'here, encrypted' | 'elsewhere';
  readonly intermediate: 'here' | 'here, encrypted' | 'behind a command';
}

/** Exit code: 1 where it ends within 30 days. Throws MeshError `authority-missing` or `state-corrupt`. */
export async function runCaStatus(args: CaStatusArgs, out: Print): Promise<number> {
  const folder = await readAuthority(args.dir);
  const places = await placesOf(folder);
  const now = ambient.clock();
  const all = await readIssuances(args.dir);
  const given = all.filter(
    ({ purpose, notAfter }) => purpose !== 'root' && purpose !== 'intermediate' && notAfter > now,
  );
  const ends = folder.notAfter - now < SOON;
  if (args.json) out(JSON.stringify(asJson(folder, places, given, now), null, 2));
  else {
    textOf(folder, places, now).forEach(out);
    out(
      `issued here   ${given.length} certificates that are valid now${given.length > 0 && !args.issued ? ' (--issued lists them)' : ''}`,
    );
    if (args.issued) for (const each of given) out(`  ${lineOf(each)}`);
    if (ends)
      out(`WRONG         the authority ends on ${moment(folder.notAfter)}: nothing that it signs is valid longer`);
  }
  return ends ? 1 : 0;
}

function textOf(folder: AuthorityFolder, places: KeyPlaces, now: number): readonly string[] {
  const [root] = folder.roots;
  const [issuing] = folder.chain;
  const line = (what: string, { fields, parsed }: StoredCertificate, key: string): string[] => [
    `${what.padEnd(13)} ${describeName(fields.subject)}, ${describeKey(parsed.publicKey)}, key ${key}`,
    `              until ${moment(fields.notAfter)} (${fields.notAfter > now ? span(fields.notAfter - now) : 'EXPIRED'})`,
  ];
  return [
    `trust domain  ${folder.trustDomain}`,
    ...(root === undefined ? [] : line('root', root, places.root)),
    ...line('intermediate', issuing, places.intermediate),
    `root SHA-256  ${Buffer.from(folder.rootFingerprint, 'base64url').toString('hex')}`,
    `identities    valid for ${span(folder.settings.svidLife)}, renewed at a third of that`,
  ];
}

function asJson(folder: AuthorityFolder, places: KeyPlaces, given: readonly Issuance[], now: number): object {
  const of = ({ fields, parsed }: StoredCertificate, key: string): object => ({
    subject: describeName(fields.subject),
    serial: fields.serial,
    notAfter: new Date(fields.notAfter).toISOString(),
    keyKind: describeKey(parsed.publicKey),
    key,
  });
  return {
    trustDomain: folder.trustDomain,
    rootSha256: Buffer.from(folder.rootFingerprint, 'base64url').toString('hex'),
    roots: folder.roots.map((root) => of(root, places.root)),
    intermediate: of(folder.chain[0], places.intermediate),
    secondsLeft: Math.floor((folder.notAfter - now) / 1_000),
    svidHours: folder.settings.svidLife / 3_600_000,
    issued: given.map((each) => ({
      ...each,
      issuedAt: new Date(each.issuedAt).toISOString(),
      notAfter: new Date(each.notAfter).toISOString(),
    })),
  };
}

async function placesOf({ dir, settings }: AuthorityFolder): Promise<KeyPlaces> {
  const placeOf = async (name: string): Promise<'here' | 'here, encrypted'> =>
    isEncryptedKey(await readTextBounded(join(dir, name), 64 * 1024)) ? 'here, encrypted' : 'here';
  const { rootKey, intermediateKey } = AUTHORITY_FILES;
  return {
    root: (await exists(join(dir, rootKey))) ? await placeOf(rootKey) : 'elsewhere',
    intermediate: settings.signCommand === null ? await placeOf(intermediateKey) : 'behind a command',
  };
}

function lineOf({ purpose, subject, notAfter, issuedAt, by, serial }: Issuance): string {
  return `${purpose.padEnd(8)} ${subject}, until ${moment(notAfter)}, on ${moment(issuedAt)} by ${by}, serial ${serial}`;
}

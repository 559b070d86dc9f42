// `weft compose-init`: what has to be there before a mesh in containers can start: the authority, and for every
// instance a certificate or a token in a state folder of its own. Runs before each `up` and changes nothing that is good.
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { initAuthority } from '../../../certs/authority/authority-folder.ts';
import { readAuthority, type AuthorityFolder } from '../../../certs/authority/authority-reader.ts';
import { openLedger } from '../../../certs/authority/ledger.ts';
import { createToken } from '../../../certs/token/token-store.ts';
import { parseConfig } from '../../../core/config/parse.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { readConfigFiles } from '../../../host/config-files.ts';
import { ensureDir, SECRET_MODE, writeFileAtomic } from '../../../host/files.ts';
import { problemLine } from '../validate.ts';
import { readMembers, type Member } from './members.ts';
import { standingOf, TOKEN_FILE } from './standing.ts';

export interface ComposeInitArgs {
  readonly config: readonly string[];
  readonly caDir: string;
  /** State folder of the control plane. */
  readonly stateDir: string;
  /** Every instance's state folder is in here, under its name. */
  readonly instances: string;
  /** `orders-v2-1=orders@v2`, `edge-main=edge:main`. */
  readonly members: readonly string[];
  /** Milliseconds that a new token is good for. */
  readonly ttl: number;
}

/**
 * Exit code: 1 where the configuration is not valid. Throws MeshError.
 *
 * @param take makes folders where they are missing, and sees to it that this process may write there
 */
export async function runComposeInit(
  args: ComposeInitArgs,
  take: (folders: readonly string[]) => Promise<void>,
  out: (line: string) => void,
): Promise<number> {
  const texts = await readConfigFiles(args.config);
  const parsed = texts.ok ? parseConfig(texts.value) : texts;
  if (!parsed.ok) {
    for (const problem of parsed.error) out(problemLine(problem));
    return 1;
  }
  const { mesh } = parsed.value;
  const members = readMembers(args.members, mesh);
  const folders = [dirname(args.caDir), args.stateDir, ...members.map((member) => folderOf(args, member))];
  await take(folders);
  for (const folder of folders) await ensureDir(folder);
  const authority = await authorityFor(args.caDir, mesh.trustDomain, out);
  const parts = { ...(await ledgerOf(args.stateDir)), authority, stateDir: args.stateDir, clock: Date.now };
  try {
    for (const member of members) {
      const folder = folderOf(args, member);
      const standing = await standingOf(folder, member, parts);
      if (standing === 'none') await giveToken(args, member, authority);
      out(`${member.instance}: ${WORDS[standing]}`);
    }
  } finally {
    await parts.ledger.close();
  }
  return 0;
}

const WORDS = { certificate: 'has its certificate', token: 'has a token to join with', none: 'got a token' } as const;

function folderOf(args: ComposeInitArgs, member: Member): string {
  return join(args.instances, member.instance);
}

async function authorityFor(caDir: string, trustDomain: string, out: (line: string) => void): Promise<AuthorityFolder> {
  const ambient = { clock: Date.now, random: randomBytes };
  try {
    await initAuthority(caDir, { trustDomain, ...ambient });
    out(`made the authority of ${trustDomain}`);
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== 'authority-exists') throw error;
  }
  // Its key may be encrypted, or elsewhere: nothing is signed here.
  const authority = await readAuthority(caDir);
  if (authority.trustDomain === trustDomain) return authority;
  throw new MeshError('usage', {
    detail: `${caDir} is the authority of ${authority.trustDomain}, the configuration says ${trustDomain}`,
    hint: 'change mesh.trustDomain back, or remove the volume so that every instance joins anew',
  });
}

async function ledgerOf(stateDir: string): Promise<{ ledger: Awaited<ReturnType<typeof openLedger>> }> {
  return { ledger: await openLedger(join(stateDir, 'issued.jsonl'), Date.now) };
}

async function giveToken(args: ComposeInitArgs, member: Member, authority: AuthorityFolder): Promise<void> {
  const { account, version, instance } = member;
  const token = await createToken(
    { stateDir: args.stateDir, rootFingerprint: authority.rootFingerprint, clock: Date.now, random: randomBytes },
    { account, instance, ttl: args.ttl, ...(version === null ? {} : { version }) },
  );
  await writeFileAtomic(join(folderOf(args, member), TOKEN_FILE), `${token.reveal()}\n`, SECRET_MODE);
}

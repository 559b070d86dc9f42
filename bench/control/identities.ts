// SVIDs of every simulated proxy, issued as the join port does it: signed by the authority in its folder, and in the
// ledger of the control plane that is measured before they are used.
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { initAuthority, openAuthority } from '../../certs/authority/authority-folder.ts';
import { issueSvid } from '../../certs/authority/issue.ts';
import { openLedger } from '../../certs/authority/ledger.ts';
import { generateKeyPair, privateKeyPem } from '../../certs/x509/key.ts';
import { certificatesPem } from '../../certs/x509/pem.ts';
import { edgeAccount, type SpiffeId } from '../../core/model/brand.ts';
import { EDGE, type World } from './world.ts';

export interface ProxyIdentity {
  readonly account: string;
  readonly instance: string;
  /** Where it says that it accepts: its own, as all of them are at one address; 0 for the edge. */
  readonly port: number;
  readonly spiffeId: SpiffeId;
  readonly keyPem: string;
  readonly chainPem: string;
  readonly bundlePem: string;
}

export interface Folders {
  readonly ca: string;
  readonly state: string;
}

/** Below those with which instances come back (scenario.ts), for 10,000 of them. */
const FIRST_PORT = 10_000;

const ambient = { clock: () => Date.now(), random: (size: number) => randomBytes(size) };

export async function makeAuthority(work: string): Promise<Folders> {
  const folders = { ca: join(work, 'ca'), state: join(work, 'state') };
  await initAuthority(folders.ca, { trustDomain: 'weft.local', ...ambient });
  mkdirSync(folders.state, { recursive: true, mode: 0o700 });
  return folders;
}

/** Instances of every service, then the edge's one. A key is made once for each service: instances differ by certificate. */
export async function issueIdentities(folders: Folders, world: World): Promise<readonly ProxyIdentity[]> {
  const authority = await openAuthority(folders.ca, ambient);
  const ledger = await openLedger(join(folders.state, 'issued.jsonl'), ambient.clock);
  const parts = { authority, ledger, clock: ambient.clock };
  const bundlePem = certificatesPem(authority.bundle);
  const identities: ProxyIdentity[] = [];
  for (const account of [...world.names, edgeAccount(EDGE)]) {
    const keys = generateKeyPair();
    const keyPem = privateKeyPem(keys.privateKey);
    const count = account === edgeAccount(EDGE) ? 1 : world.spec.instances;
    for (let i = 0; i < count; i++) {
      const instance = `${account}-${i}`;
      const issued = await issueSvid(parts, { account, version: null, instance, tokenId: 'bench' }, keys.publicKey);
      const chainPem = certificatesPem(issued.chain);
      const port = account === edgeAccount(EDGE) ? 0 : FIRST_PORT + identities.length;
      identities.push({ account, instance, port, spiffeId: issued.identity, keyPem, chainPem, bundlePem });
    }
  }
  await ledger.close();
  return identities;
}

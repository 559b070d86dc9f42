// Certificates for a pair of Envoys, made by Weft's own authority: the same kind as the sidecars have.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initAuthority, openAuthority } from '../../certs/authority/authority-folder.ts';
import { generateKeyPair, privateKeyPem } from '../../certs/x509/key.ts';
import { certificatesPem } from '../../certs/x509/pem.ts';
import { spiffeId } from '../../core/model/brand.ts';

export interface PeerFiles {
  readonly identity: string;
  readonly chain: string;
  readonly key: string;
}

export interface PairFiles {
  readonly bundle: string;
  readonly caller: PeerFiles;
  readonly upstream: PeerFiles;
}

export async function issuePair(folder: string): Promise<PairFiles> {
  const ambient = { clock: () => Date.now(), random: (size: number) => randomBytes(size) };
  const dir = join(folder, 'ca');
  await initAuthority(dir, { trustDomain: 'bench.test', ...ambient });
  const authority = await openAuthority(dir, ambient);
  const issue = async (account: string): Promise<PeerFiles> => {
    const identity = spiffeId('bench.test', 'default', account);
    const keys = generateKeyPair();
    const issued = await authority.signSvid({ publicKey: keys.publicKey, identity });
    const files = { identity, chain: join(folder, `${account}.pem`), key: join(folder, `${account}.key`) };
    writeFileSync(files.chain, certificatesPem(issued.chain));
    writeFileSync(files.key, privateKeyPem(keys.privateKey), { mode: 0o600 });
    return files;
  };
  return { bundle: join(dir, 'root.pem'), caller: await issue('caller'), upstream: await issue('upstream') };
}

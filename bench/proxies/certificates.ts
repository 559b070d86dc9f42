// Certificates for Envoy, made by Weft's own authority: the same kind (P-256, one intermediate) as Weft's proxies have.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IssuedCertificate } from '../../certs/authority/authority.ts';
import { initAuthority, openAuthority } from '../../certs/authority/authority-folder.ts';
import { generateKeyPair, privateKeyPem } from '../../certs/x509/key.ts';
import { certificatesPem } from '../../certs/x509/pem.ts';
import { spiffeId } from '../../core/model/brand.ts';
import type { TlsFiles } from './envoy-parts.ts';

export interface PeerFiles extends TlsFiles {
  readonly identity: string;
}

export interface IssuedFiles {
  readonly bundle: string;
  readonly caller: PeerFiles;
  readonly upstream: PeerFiles;
  /** For a listener of an edge. */
  readonly server: TlsFiles;
}

export async function issueCertificates(folder: string): Promise<IssuedFiles> {
  const ambient = { clock: () => Date.now(), random: (size: number) => randomBytes(size) };
  const dir = join(folder, 'ca');
  await initAuthority(dir, { trustDomain: 'bench.test', ...ambient });
  const authority = await openAuthority(dir, ambient);
  const write = async (
    name: string,
    sign: (publicKey: ReturnType<typeof generateKeyPair>['publicKey']) => Promise<IssuedCertificate>,
  ): Promise<TlsFiles> => {
    const keys = generateKeyPair();
    const issued = await sign(keys.publicKey);
    const files = { chain: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    writeFileSync(files.chain, certificatesPem(issued.chain));
    writeFileSync(files.key, privateKeyPem(keys.privateKey), { mode: 0o600 });
    return files;
  };
  const svid = async (account: string): Promise<PeerFiles> => {
    const identity = spiffeId('bench.test', 'default', account);
    return { identity, ...(await write(account, (publicKey) => authority.signSvid({ publicKey, identity }))) };
  };
  const hosts = ['bench.test'];
  return {
    bundle: join(dir, 'root.pem'),
    caller: await svid('caller'),
    upstream: await svid('upstream'),
    server: await write('server', (publicKey) => authority.signServerCertificate({ publicKey, hosts })),
  };
}

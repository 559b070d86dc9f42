// A mesh's authority in a folder of its own, for tests that need real certificates without the join.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlPlaneIdentity } from '../../certs/authority/control-plane-identity.ts';
import { initAuthority, openAuthority } from '../../certs/authority/authority-folder.ts';
import type { Grant } from '../../certs/authority/ledger.ts';
import { identityOf } from '../../certs/policy/names.ts';
import { generateKeyPair, privateKeyPem } from '../../certs/x509/key.ts';
import { certificatesPem } from '../../certs/x509/pem.ts';
import type { SpiffeId } from '../../core/model/brand.ts';

export interface TestIdentity {
  readonly spiffeId: SpiffeId;
  readonly keyPem: string;
  readonly chainPem: string;
  readonly bundlePem: string;
  readonly instance: string;
  readonly notAfter: number;
}

export interface TestAuthority {
  readonly trustDomain: string;
  readonly server: TestIdentity;
  /** An SVID as a join would have given it; `granted: false`: one that the ledger does not know. */
  svid(account: string, options?: SvidOptions): Promise<TestIdentity>;
  grantOf(serial: string): Grant | null;
}

export interface SvidOptions {
  readonly version?: string;
  readonly instance?: string;
  readonly granted?: boolean;
}

/** The folder is gone when this returns: everything needed is in memory. */
export async function makeTestAuthority(trustDomain = 'shop.test'): Promise<TestAuthority> {
  const dir = await mkdtemp(join(tmpdir(), 'weft-authority-'));
  const ambient = { clock: () => Date.now(), random: (size: number) => randomBytes(size) };
  await initAuthority(dir, { ...ambient, trustDomain });
  const authority = await openAuthority(dir, ambient);
  await rm(dir, { recursive: true });
  const own = await controlPlaneIdentity(authority, ambient.clock).current();
  const grants = new Map<string, Grant>();
  return {
    trustDomain,
    server: { ...own, instance: 'weft-control-plane' },
    grantOf: (serial) => grants.get(serial) ?? null,
    svid: async (account, { version, instance = `${account}-1`, granted = true } = {}) => {
      const keys = generateKeyPair();
      const spiffeId = identityOf(trustDomain, account);
      const issued = await authority.signSvid({ publicKey: keys.publicKey, identity: spiffeId });
      const { serial, notAfter } = issued;
      const about = { identity: spiffeId, account, version: version ?? null, instance, tokenId: 'test', key: serial };
      if (granted) grants.set(serial, { serial, purpose: 'svid', ...about, notAfter, issuedAt: ambient.clock() });
      return {
        spiffeId,
        keyPem: privateKeyPem(keys.privateKey),
        chainPem: certificatesPem(issued.chain),
        bundlePem: certificatesPem(issued.bundle),
        instance,
        notAfter,
      };
    },
  };
}

// The control plane's own SVID: `sa/weft-control-plane`, signed by the authority that it holds, in memory only,
// and issued anew at half of its life.
import { MeshError } from '../../core/kit/error.ts';
import type { SpiffeId } from '../../core/model/brand.ts';
import type { Clock } from '../ambient.ts';
import { CONTROL_PLANE_ACCOUNT, controlPlaneId } from '../policy/names.ts';
import { generateKeyPair, privateKeyPem } from '../x509/key.ts';
import { certificatesPem } from '../x509/pem.ts';
import type { Authority } from './authority.ts';

/** All PEM. */
export interface ControlPlaneIdentity {
  readonly spiffeId: SpiffeId;
  readonly keyPem: string;
  /** Leaf, intermediate, and the root too: who joins finds there the root that its token pins. */
  readonly chainPem: string;
  readonly bundlePem: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  /** When `current` will give another one, ms since 1970. */
  readonly renewAt: number;
}

export interface ControlPlaneIdentitySource {
  /** The one to be used now; a new one from half of its life on. Throws MeshError `authority-expired`. */
  current(): Promise<ControlPlaneIdentity>;
}

export function controlPlaneIdentity(authority: Authority, clock: Clock): ControlPlaneIdentitySource {
  let held: Promise<ControlPlaneIdentity> | null = null;
  let renewAt = 0;
  return {
    current: async () => {
      if (held !== null && clock() < renewAt) return held;
      // Callers meanwhile wait for the same one; `renewAt` is set before the first of them runs on.
      renewAt = clock() + authority.svidLife / 2;
      held = issue(authority, clock());
      try {
        const identity = await held;
        renewAt = identity.renewAt;
        return identity;
      } catch (error) {
        held = null;
        throw error;
      }
    },
  };
}

async function issue(authority: Authority, now: number): Promise<ControlPlaneIdentity> {
  const keys = generateKeyPair();
  const spiffeId = controlPlaneId(authority.trustDomain);
  const svid = await authority.signSvid({
    publicKey: keys.publicKey,
    identity: spiffeId,
    hosts: [CONTROL_PLANE_ACCOUNT],
  });
  const [root] = svid.bundle;
  if (root === undefined) throw new MeshError('state-corrupt', { detail: 'the authority has no root' });
  return {
    spiffeId,
    keyPem: privateKeyPem(keys.privateKey),
    chainPem: certificatesPem([...svid.chain, root]),
    bundlePem: certificatesPem(svid.bundle),
    notAfter: svid.notAfter,
    renewAt: now + (svid.notAfter - now) / 2,
  };
}

// What every single proxy of the bench is set up as: 100 routes by prefix to services on this machine.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH } from '../results.ts';
import type { AppProtocol } from './envoy-parts.ts';

/** Where peers that are no Debian packages are installed; not in the repository. */
export const PEERS: string = join(BENCH, '.peers');
mkdirSync(PEERS, { recursive: true });

export interface EdgeSpec {
  readonly ports: { readonly plain: number; readonly secure: number | null };
  /** Spoken to the services. */
  readonly protocol: AppProtocol;
  readonly grpc: boolean;
  readonly upstreams: readonly { readonly name: string; readonly port: number }[];
  /** Which of them `/service-N/` leads to. */
  upstreamOf(index: number): string;
}

export interface PeerSpec {
  readonly name: string;
  readonly port: number;
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly jit: boolean;
}

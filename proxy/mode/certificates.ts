// Server certificates of an edge's listeners: one per set of hosts, asked for when a view first needs it
// and again when it is to be renewed. What was given before a restart serves where nobody can be asked.
import type { ServerCertificate } from '../tls/edge-tls.ts';
import type { KeyMaterial } from '../tls/material.ts';

/** Signs a certificate for these names, localhost and the loopback addresses; rejects with a MeshError. */
export type CertificateSource = (hosts: readonly string[]) => Promise<KeyMaterial>;

export interface StoredCertificate extends KeyMaterial {
  /** Share of its life that is left, above 0. */
  readonly left: number;
}

/** Keeps certificates by their set of hosts; neither method rejects. */
export interface CertificateStore {
  /** Those that are still valid. */
  load(): Promise<ReadonlyMap<string, StoredCertificate>>;
  save(certificates: ReadonlyMap<string, KeyMaterial>): Promise<void>;
}

export class ServerCertificates {
  readonly #source: CertificateSource;
  readonly #store: CertificateStore | null;
  readonly #kept = new Map<string, ServerCertificate>();

  constructor(source: CertificateSource, store: CertificateStore | null = null) {
    this.#source = source;
    this.#store = store;
  }

  async for(hosts: readonly string[]): Promise<ServerCertificate> {
    const kept = this.#kept.get(keyOf(hosts));
    if (kept !== undefined) return kept;
    const stored = (await this.#store?.load())?.get(keyOf(hosts));
    // It is renewed with the SVID, when a third of its life is over: one that is older was missed.
    if (stored !== undefined && stored.left > 0.5) return this.#keep(stored, hosts);
    try {
      return await this.renew(hosts);
    } catch (error) {
      if (stored === undefined) throw error;
      return this.#keep(stored, hosts);
    }
  }

  /** Asks for a new one. */
  async renew(hosts: readonly string[]): Promise<ServerCertificate> {
    const certificate = this.#keep(await this.#source(hosts), hosts);
    await this.#store?.save(this.#kept);
    return certificate;
  }

  #keep({ keyPem, chainPem }: KeyMaterial, hosts: readonly string[]): ServerCertificate {
    const certificate = { keyPem, chainPem, hosts };
    this.#kept.set(keyOf(hosts), certificate);
    return certificate;
  }
}

function keyOf(hosts: readonly string[]): string {
  return hosts.toSorted().join(' ');
}

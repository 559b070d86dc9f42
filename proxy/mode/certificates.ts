// Server certificates of an edge's listeners: one per set of hosts, asked for when a view first needs it
// and again when it is to be renewed.
import type { ServerCertificate } from '../tls/edge-tls.ts';
import type { KeyMaterial } from '../tls/material.ts';

/** Signs a certificate for these names, localhost and the loopback addresses; rejects with a MeshError. */
export type CertificateSource = (hosts: readonly string[]) => Promise<KeyMaterial>;

export class ServerCertificates {
  readonly #source: CertificateSource;
  readonly #kept = new Map<string, ServerCertificate>();

  constructor(source: CertificateSource) {
    this.#source = source;
  }

  async for(hosts: readonly string[]): Promise<ServerCertificate> {
    const kept = this.#kept.get(keyOf(hosts));
    return kept ?? (await this.renew(hosts));
  }

  /** Asks for a new one. */
  async renew(hosts: readonly string[]): Promise<ServerCertificate> {
    const certificate = { ...(await this.#source(hosts)), hosts };
    this.#kept.set(keyOf(hosts), certificate);
    return certificate;
  }
}

function keyOf(hosts: readonly string[]): string {
  return hosts.toSorted().join(' ');
}

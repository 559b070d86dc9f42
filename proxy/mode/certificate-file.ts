// Server certificates of an edge on disk, with their keys, 0600 beside its SVID: an edge that starts while the control
// plane is away can open its door again.
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { describeError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import { readState, writeState } from '../../host/files.ts';
import { SERVER_CERTIFICATES } from '../agent/identity-folder.ts';
import type { KeyMaterial } from '../tls/material.ts';
import type { CertificateStore, StoredCertificate } from './certificates.ts';

export class CertificateFile implements CertificateStore {
  readonly #path: string;
  readonly #log: Log;
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(stateDir: string, log: Log, now: () => number) {
    this.#path = join(stateDir, SERVER_CERTIFICATES);
    this.#log = log;
    this.#now = now;
  }

  async load(): Promise<ReadonlyMap<string, StoredCertificate>> {
    try {
      const stored = entriesOf(await readState(this.#path)).map(
        ([hosts, material]) => [hosts, { ...material, left: this.#left(material) }] as const,
      );
      return new Map(stored.filter(([, { left }]) => left > 0));
    } catch (error) {
      this.#log.warn({ path: this.#path }, `the kept server certificates are ignored: ${describeError(error)}`);
      return new Map();
    }
  }

  async save(certificates: ReadonlyMap<string, KeyMaterial>): Promise<void> {
    const plain = [...certificates].map(([hosts, { keyPem, chainPem }]) => [hosts, { keyPem, chainPem }]);
    try {
      await writeState(this.#path, plain);
    } catch (error) {
      this.#log.warn({ path: this.#path }, `the server certificates are not kept: ${describeError(error)}`);
    }
  }

  #left({ chainPem }: KeyMaterial): number {
    try {
      // The leaf, which comes first.
      const { validFromDate, validToDate } = new X509Certificate(chainPem);
      const end = validToDate.getTime();
      return (end - this.#now()) / (end - validFromDate.getTime());
    } catch {
      return 0;
    }
  }
}

function entriesOf(state: unknown): [string, KeyMaterial][] {
  if (!Array.isArray(state)) return [];
  return state.flatMap((entry: unknown): [string, KeyMaterial][] => {
    if (!Array.isArray(entry)) return [];
    const [hosts, material]: unknown[] = entry;
    return typeof hosts === 'string' && isMaterial(material) ? [[hosts, material]] : [];
  });
}

function isMaterial(value: unknown): value is KeyMaterial {
  if (typeof value !== 'object' || value === null || !('keyPem' in value) || !('chainPem' in value)) return false;
  return typeof value.keyPem === 'string' && typeof value.chainPem === 'string';
}

// What a mesh's authority signs, and for how long: SVIDs for workloads, server certificates for edges. Who may
// ask is certs/token's affair, what a request may hold certs/policy's; here the names are given and final.
import type { KeyObject } from 'node:crypto';
import type { SpiffeId } from '../../core/model/brand.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { Clock } from '../ambient.ts';
import { serverNames, svidNames } from '../policy/names.ts';
import { operatorId, type Operator } from '../policy/operator.ts';
import { certificateFingerprint, type SignedCertificate } from '../x509/certificate.ts';
import type { ExtendedKeyUsage } from '../x509/extensions.ts';
import type { GeneralName } from '../x509/general-name.ts';
import type { Signer } from './signer.ts';

const HOUR = 3_600_000;
/** 72 hours, renewed at a third: a control plane may be away for two days. */
export const SVID_LIFE = 72 * HOUR;
/** Clocks of a mesh may differ by this much. */
export const BACKDATE = 60_000;

export interface SvidRequest {
  readonly publicKey: KeyObject;
  readonly identity: SpiffeId;
  /** Further DNS names; only the control plane has one. */
  readonly hosts?: readonly string[];
}

export interface ServerCertificateRequest {
  readonly publicKey: KeyObject;
  /** DNS names, `*.suffix` included. Loopback names and addresses are added. */
  readonly hosts: readonly string[];
}

export interface OperatorRequest extends Operator {
  readonly publicKey: KeyObject;
  /** How long it is valid, ms. */
  readonly life: number;
}

export interface IssuedCertificate {
  /** Leaf, then intermediates; DER. */
  readonly chain: readonly Buffer[];
  readonly bundle: readonly Buffer[];
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export class Authority {
  readonly #signer: Signer;
  readonly #clock: Clock;

  constructor(signer: Signer, clock: Clock) {
    this.#signer = signer;
    this.#clock = clock;
  }

  get trustDomain(): string {
    return this.#signer.trustDomain;
  }

  /** Roots; DER. */
  get bundle(): readonly Buffer[] {
    return this.#signer.bundle;
  }

  /** End of the certificate that signs, ms since 1970. */
  get notAfter(): number {
    return this.#signer.notAfter;
  }

  /** From the signing certificate up to the root, which is not in it; DER. */
  get chain(): readonly Buffer[] {
    return this.#signer.chain;
  }

  /** SHA-256 of the root that new tokens pin; base64url. */
  get rootFingerprint(): string {
    const [root] = this.#signer.bundle;
    if (root === undefined) throw new MeshError('state-corrupt', { detail: 'the authority has no root' });
    return certificateFingerprint(root);
  }

  /** Leaf for mutual TLS in both directions. Throws MeshError `authority-expired`. */
  async signSvid(request: SvidRequest): Promise<IssuedCertificate> {
    return this.#sign(request.publicKey, svidNames(request.identity, request.hosts ?? []), [
      'serverAuth',
      'clientAuth',
    ]);
  }

  /** Leaf for an edge's own listeners; it proves no workload. Throws MeshError `authority-expired`. */
  async signServerCertificate(request: ServerCertificateRequest): Promise<IssuedCertificate> {
    return this.#sign(request.publicKey, serverNames(request.hosts), ['serverAuth']);
  }

  /** Leaf with which an operator is known to the API; it proves no workload. Throws MeshError `authority-expired`. */
  async signOperator({ publicKey, life, ...operator }: OperatorRequest): Promise<IssuedCertificate> {
    const names: readonly GeneralName[] = [{ kind: 'uri', value: operatorId(this.trustDomain, operator) }];
    return this.#sign(publicKey, names, ['clientAuth'], life);
  }

  async #sign(
    publicKey: KeyObject,
    names: readonly GeneralName[],
    extended: readonly ExtendedKeyUsage[],
    life = SVID_LIFE,
  ): Promise<IssuedCertificate> {
    const now = this.#clock();
    const end = this.#signer.notAfter;
    if (now >= end) {
      throw new MeshError('authority-expired', {
        detail: `the signing certificate ended on ${new Date(end).toISOString()}`,
        hint: 'make a new authority with `weft ca init --dir` and let every proxy join again',
      });
    }
    const leaf: SignedCertificate = await this.#signer.sign({
      publicKey,
      subject: {},
      names,
      notBefore: now - BACKDATE,
      notAfter: Math.min(now + life, end),
      usage: { kind: 'leaf', extended },
    });
    return {
      chain: [leaf.der, ...this.#signer.chain],
      bundle: this.#signer.bundle,
      serial: leaf.serial,
      notBefore: leaf.notBefore,
      notAfter: leaf.notAfter,
    };
  }
}

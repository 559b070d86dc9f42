// What a mesh's authority signs, and for how long: SVIDs for workloads, server certificates for edges, certificates for
// people and machines outside the mesh. Who may ask is certs/token's affair, what a request may hold certs/policy's; here the names are given and final.
import type { KeyObject } from 'node:crypto';
import type { SpiffeId } from '../../core/model/brand.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { Clock } from '../ambient.ts';
import { clientNames, hostNames, serverNames, svidNames } from '../policy/names.ts';
import { operatorId, type Operator } from '../policy/operator.ts';
import { certificateFingerprint, type SignedCertificate } from '../x509/certificate.ts';
import type { RevokedCertificate } from '../x509/crl.ts';
import type { ExtendedKeyUsage } from '../x509/extensions.ts';
import type { GeneralName } from '../x509/general-name.ts';
import type { Name } from '../x509/name.ts';
import type { Signer } from './signer.ts';

const HOUR = 3_600_000;
/** 72 hours, renewed at a third: a control plane may be away for two days. */
export const SVID_LIFE = 72 * HOUR;
/** Clocks of a mesh may differ by this much. */
export const BACKDATE = 60_000;

export interface AuthorityLives {
  /** Of an SVID, ms; default 72 h. */
  readonly svid?: number;
  /** How long before now certificates begin, ms; default a minute. */
  readonly backdate?: number;
}

export interface SvidRequest {
  readonly publicKey: KeyObject;
  readonly identity: SpiffeId;
  /** How long it is valid, ms; default as the authority has it. */
  readonly life?: number;
  /** Further DNS names; only the control plane has one. */
  readonly hosts?: readonly string[];
}

export interface ServerCertificateRequest {
  readonly publicKey: KeyObject;
  /** DNS names, `*.suffix` included, and addresses. Loopback names and addresses are added. */
  readonly hosts: readonly string[];
  /** false: these hosts alone. */
  readonly loopback?: boolean;
  /** How long it is valid, ms; default as an SVID. */
  readonly life?: number;
}

export interface ClientRequest {
  readonly publicKey: KeyObject;
  /** Common name: of a person or a machine. One that is an email address is named as such too. */
  readonly name: string;
  /** How long it is valid, ms. */
  readonly life: number;
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
  readonly #backdate: number;
  /** Of an SVID, ms. */
  readonly svidLife: number;

  constructor(signer: Signer, clock: Clock, { svid = SVID_LIFE, backdate = BACKDATE }: AuthorityLives = {}) {
    this.#signer = signer;
    this.#clock = clock;
    this.#backdate = backdate;
    this.svidLife = svid;
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
  async signSvid({ publicKey, identity, hosts = [], life }: SvidRequest): Promise<IssuedCertificate> {
    return this.#sign({ publicKey, names: svidNames(identity, hosts), extended: ['serverAuth', 'clientAuth'], life });
  }

  /** Leaf for an edge's own listeners; it proves no workload. Throws MeshError `authority-expired`. */
  async signServerCertificate(request: ServerCertificateRequest): Promise<IssuedCertificate> {
    const { publicKey, hosts, loopback = true, life } = request;
    return this.#sign({
      publicKey,
      names: (loopback ? serverNames : hostNames)(hosts),
      extended: ['serverAuth'],
      life,
    });
  }

  /** Leaf with which an operator is known to the API; it proves no workload. Throws MeshError `authority-expired`. */
  async signOperator({ publicKey, life, ...operator }: OperatorRequest): Promise<IssuedCertificate> {
    const names: readonly GeneralName[] = [{ kind: 'uri', value: operatorId(this.trustDomain, operator) }];
    return this.#sign({ publicKey, names, extended: ['clientAuth'], life });
  }

  /** Leaf of a client outside the mesh, for edges that ask for one. Throws MeshError `authority-expired`. */
  async signClient({ publicKey, name, life }: ClientRequest): Promise<IssuedCertificate> {
    const names = clientNames(name);
    return this.#sign({ publicKey, subject: { commonName: name }, names, extended: ['clientAuth'], life });
  }

  /**
   * A list of what it revoked, for the world outside the mesh; DER.
   * @param life until the next list, ms
   */
  async signCrl(number: number, revoked: readonly RevokedCertificate[], life: number): Promise<Buffer> {
    const now = this.#clock();
    return this.#signer.signCrl({ number, thisUpdate: now, nextUpdate: now + life, revoked });
  }

  async #sign(leaf: Leaf): Promise<IssuedCertificate> {
    const now = this.#clock();
    const end = this.#signer.notAfter;
    if (now >= end) {
      throw new MeshError('authority-expired', {
        detail: `the signing certificate ended on ${new Date(end).toISOString()}`,
        hint: 'make a new authority with `weft ca init --dir` and let every proxy join again',
      });
    }
    const { publicKey, subject = {}, names, extended, life = this.svidLife } = leaf;
    const issued: SignedCertificate = await this.#signer.sign({
      publicKey,
      subject,
      names,
      notBefore: now - this.#backdate,
      notAfter: Math.min(now + life, end),
      usage: { kind: 'leaf', extended },
    });
    return {
      chain: [issued.der, ...this.#signer.chain],
      bundle: this.#signer.bundle,
      serial: issued.serial,
      notBefore: issued.notBefore,
      notAfter: issued.notAfter,
    };
  }
}

interface Leaf {
  readonly publicKey: KeyObject;
  readonly subject?: Name;
  readonly names: readonly GeneralName[];
  readonly extended: readonly ExtendedKeyUsage[];
  readonly life: number | undefined;
}

// What the control plane knows, as the API tells it: proxies, certificates, snapshots, and itself.
import { readCertificate } from '../../certs/x509/certificate.ts';
import { MeshError } from '../../core/kit/error.ts';
import { VERSION } from '../../host/version.ts';
import type { ReportedStatus } from '../server/reported-status.ts';
import type { KnownSnapshot } from '../snapshot/changes.ts';
import type { Caller } from './caller.ts';
import type { AuditItem, CertificateItem, ProxyItem, ProxyStatusItem, SnapshotItem, StatusItem } from './contract.ts';
import type { ApiFacts } from './facts.ts';

export function statusOf(facts: ApiFacts, { name, role }: Caller): StatusItem {
  const { authority, counts, snapshots } = facts;
  return {
    version: VERSION,
    time: timeOf(facts.now()),
    ready: snapshots.snapshot !== null,
    trustDomain: authority.trustDomain,
    snapshot: snapshots.snapshot?.hash ?? null,
    caller: { name, role },
    proxies: facts.proxies().length,
    instances: facts.registry.instances().length,
    acks: counts.acks,
    nacks: counts.nacks,
    invalidConfigs: counts.invalidConfigs,
    configTrouble: facts.configTrouble(),
    certificateNotAfter: timeOf(facts.certificateEnd()),
    authority: { notAfter: timeOf(authority.notAfter), rootFingerprint: authority.rootFingerprint },
  };
}

export function proxiesOf(facts: ApiFacts): readonly ProxyItem[] {
  const inForce = facts.snapshots.snapshot?.hash ?? null;
  const registered = new Set(facts.registry.instances().map(({ account, instance }) => `${account}/${instance}`));
  return facts.proxies().map((state) => {
    const { account, version, instance, address, inboundPort, proxyVersion, snapshot, refusal } = state;
    return {
      name: instance,
      ...{ account, version, address, inboundPort, proxyVersion, snapshot },
      current: snapshot !== null && snapshot === inForce,
      refusal,
      registered: registered.has(`${account}/${instance}`),
      drained: state.held,
      since: timeOf(state.since),
      notAfter: timeOf(state.notAfter),
      status: state.status === null ? null : proxyStatus(state.status),
    };
  });
}

function proxyStatus(status: ReportedStatus): ProxyStatusItem {
  const { at, snapshot, certificate, unbound, unreachable } = status;
  return {
    time: timeOf(at),
    snapshot,
    viewOrigin: status.viewOrigin ?? 'unknown',
    viewAgeSeconds: status.viewAge,
    certificate: certificate === null ? null : { serial: certificate.serial, notAfter: timeOf(certificate.notAfter) },
    appHealth: status.app,
    appHealthReason: status.appReason,
    inFlight: status.inFlight,
    requestsPerSecond: status.requestsPerSecond,
    draining: status.draining,
    clockOffsetMs: status.clockOffset,
    unbound,
    unreachable,
    memoryBytes: status.memory,
  };
}

export function certificatesOf({ authority, ledger, proxies }: ApiFacts): readonly CertificateItem[] {
  const said = proxies().flatMap(({ status }) => status?.certificate?.serial ?? []);
  const inUse = new Set(said);
  const own = [
    ...authority.bundle.map((der) => authorityItem('root', der)),
    ...authority.chain.map((der) => authorityItem('issuing', der)),
  ];
  const issued = ledger
    .grants()
    .map(({ serial, purpose, identity, account, version, instance, issuedAt, notAfter }) => ({
      ...{ name: serial, purpose, identity, account, version, instance },
      issuedAt: timeOf(issuedAt),
      notAfter: timeOf(notAfter),
      // Proxies say which identity they run, and nothing of the certificates of their listeners.
      inUse: said.length === 0 || purpose === 'server' ? null : inUse.has(serial),
    }));
  return [...own, ...issued];
}

function authorityItem(purpose: 'root' | 'issuing', der: Buffer): CertificateItem {
  const read = readCertificate(der);
  // It was read when the authority was opened.
  if (!read.ok)
    throw new MeshError('state-corrupt', { detail: `the authority's ${purpose} certificate: ${read.error}` });
  const { serial, extensions, notBefore, notAfter } = read.value;
  return {
    ...{ name: serial, purpose, identity: extensions.names.find(({ kind }) => kind === 'uri')?.value ?? '' },
    ...{ account: '', version: null, instance: '' },
    issuedAt: timeOf(notBefore),
    notAfter: timeOf(notAfter),
    inUse: null,
  };
}

/** Newest first. */
export function snapshotsOf({ changes }: Pick<ApiFacts, 'changes'>): readonly SnapshotItem[] {
  return changes.known().map(snapshotItem);
}

export function snapshotItem(known: KnownSnapshot): SnapshotItem {
  const { hash, number, time, source, who, services, edges, inForce } = known;
  return { name: hash, number, time: timeOf(time), source, who, services, edges, inForce };
}

/** ECMA-262 §21.4.1.1. */
const LAST = 8.64e15;

/** null: no line of the audit log, as after damage. */
export function auditItem(line: unknown): AuditItem | null {
  const fields = new Map<string, unknown>(typeof line === 'object' && line !== null ? Object.entries(line) : []);
  const [time, action, who, hash] = ['time', 'action', 'who', 'hash'].map((name) => fields.get(name));
  const [number, services, edges] = ['number', 'services', 'edges'].map((name) => fields.get(name));
  if (action !== 'file' && action !== 'apply' && action !== 'rollback') return null;
  if (typeof time !== 'string' || typeof who !== 'string' || typeof hash !== 'string') return null;
  if (typeof number !== 'number' || typeof services !== 'number' || typeof edges !== 'number') return null;
  return { name: String(number), time, action, who, snapshot: hash, services, edges };
}

/** A proxy may say what it likes: what is no time of JavaScript is its last. */
function timeOf(ms: number): string {
  return new Date(Math.min(ms, LAST)).toISOString();
}

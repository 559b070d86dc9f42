// What this proxy tells the control plane of itself, from what the data path reports.
import type { AppFacts } from '../../core/model/health.ts';
import { readCertificate } from '../../certs/x509/certificate.ts';
import { certificatesOf } from '../../certs/x509/pem.ts';
import type { Identity } from '../agent/identity-folder.ts';
import type { FactSource, ProxyFacts } from '../agent/proxy-facts.ts';
import type { DataPath, PathReport } from './data-path.ts';
import { isAppCluster } from './inbound.ts';

export interface FactParts {
  readonly path: Pick<DataPath, 'refresh' | 'report'>;
  readonly identity: () => Identity;
  /** Null: there is none to ask. */
  readonly app: () => AppFacts | null;
}

export function factSource({ path, identity, app }: FactParts): FactSource {
  let serial = { of: '', text: '' };
  const certificate = (): ProxyFacts['certificate'] => {
    const { chainPem, notAfter } = identity();
    if (serial.of !== chainPem) serial = { of: chainPem, text: serialOf(chainPem) };
    return { serial: serial.text, notAfter };
  };
  return {
    refresh: () => path.refresh(),
    read: () => {
      const { clusters, series, unbound } = path.report;
      return {
        certificate: certificate(),
        app: app(),
        ...endpointFacts(clusters),
        requests: series.reduce((sum, { byStatusClass }) => sum + byStatusClass.reduce((a, b) => a + b, 0), 0),
        unbound: unbound.map(({ name, reason }) => `${name}: ${reason}`),
        memory: process.memoryUsage.rss(),
      };
    },
  };
}

/** '' for what is no certificate. */
function serialOf(chainPem: string): string {
  const chain = certificatesOf(chainPem);
  const leaf = chain.ok ? readCertificate(chain.value[0] ?? Buffer.alloc(0)) : chain;
  return leaf.ok ? leaf.value.serial : '';
}

function endpointFacts(clusters: PathReport['clusters']): Pick<ProxyFacts, 'inFlight' | 'unreachable'> {
  let inFlight = 0;
  const unreachable: ProxyFacts['unreachable'][number][] = [];
  for (const [cluster, endpoints] of Object.entries(clusters)) {
    for (const { id, active, unreachable: reason } of endpoints) {
      inFlight += active;
      // What is wrong with the own app is said apart.
      if (reason !== '' && !isAppCluster(cluster)) unreachable.push({ cluster, endpoint: id, reason });
    }
  }
  return { inFlight, unreachable };
}

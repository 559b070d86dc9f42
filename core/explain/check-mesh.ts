// Checks of what the mesh is made of: its configuration, its authority, who is there, what goes in plaintext, and the disk.
import { hostKind } from '../decide/address-kind.ts';
import { clusterName, edgeAccount } from '../model/brand.ts';
import type { Cluster } from '../model/view.ts';
import { type Check, finding, type Finding } from './check-facts.ts';
import { count } from './check-proxies.ts';
import { agoWords } from './item-words.ts';
import type { Known } from './known.ts';

const DAY = 24 * 3_600_000;
/** Milliseconds that are left. A certificate that it signs lives for three days, and no longer than the authority. */
const AUTHORITY_LEFT = { warning: 30 * DAY, error: 4 * DAY } as const;
const DISK = { warning: 1024 * 1024 * 1024, error: 64 * 1024 * 1024 } as const;

export const configuration: Check = {
  name: 'configuration',
  find: ({ known, warnings, controlPlane: { configTrouble } }) => {
    if (known === null) {
      return [
        finding('configuration', 'error', 'nothing is in force', '`weft validate` says what is wrong with the files'),
      ];
    }
    const broken = `the watched files are not valid, and what was before goes on: ${configTrouble}`;
    return [
      ...(configTrouble === '' ? [] : [finding('configuration', 'error', broken, 'mend them: see `weft validate`')]),
      ...warnings.map(({ file, line, column, path, message, hint }) =>
        finding('configuration', 'warning', `${path}: ${message}`, hint, `${file}:${line}:${column}`),
      ),
    ];
  },
  fine: ({ known, controlPlane: { refusedConfigs } }) => {
    const mesh = known?.snapshot.mesh;
    const size = `${count(mesh?.services.size ?? 0, 'service', 'services')}, ${count(mesh?.edges.size ?? 0, 'edge', 'edges')}`;
    const refused =
      refusedConfigs === 0 ? '' : `; ${count(refusedConfigs, 'edit was', 'edits were')} refused since its start`;
    return `${known?.hash ?? ''} is in force: ${size}${refused}`;
  },
};

export const authority: Check = {
  name: 'authority',
  find: ({ authority: certificates, controlPlane }) =>
    certificates.flatMap(({ purpose, notAfter }) => {
      const left = notAfter - controlPlane.time;
      if (left >= AUTHORITY_LEFT.warning) return [];
      const ends = left <= 0 ? `ended ${agoWords(-left)} ago` : `ends in ${agoWords(left)}`;
      const words = `the ${purpose} certificate of the mesh ${ends}`;
      return [finding('authority', left < AUTHORITY_LEFT.error ? 'error' : 'warning', words, 'see docs/identity.md')];
    }),
  fine: ({ authority: certificates, controlPlane }) => {
    const ends = certificates.map(({ notAfter }) => notAfter - controlPlane.time);
    return ends.length === 0 ? 'nothing is known of it' : `lasts for ${agoWords(Math.min(...ends))}`;
  },
};

/** Whoever is called, and in which version: somebody must be there. */
export const instances: Check = {
  name: 'instances',
  find: ({ known, proxies }) => {
    if (known === null) return [];
    const connected = new Set(proxies.map(({ account }) => account));
    const edges = [...known.snapshot.mesh.edges.keys()].filter((edge) => !connected.has(edgeAccount(edge)));
    return [
      ...missing(known),
      ...fewer(known),
      ...edges.map((edge) => {
        const at = known.locate(`edges.${edge}`) || known.locate(`edges.${edge}.listeners[0]`);
        return finding('instances', 'error', `no proxy of the edge ${edge} is connected`, `start \`weft edge\``, at);
      }),
    ];
  },
  fine: ({ known }) => `every called service has one (${called(known).size} in all)`,
};

function missing(known: Known): readonly Finding[] {
  return [...called(known)].flatMap(([, { cluster, callers }]) => {
    const { service, version, name } = cluster;
    const there = known.instances?.(clusterName(service, version ?? undefined)) ?? [];
    if (there.length > 0) return [];
    const who = callers.length <= 3 ? callers.join(', ') : `${callers.slice(0, 3).join(', ')} and others`;
    const words = `${name} has no instance, and is called by ${who}`;
    return [finding('instances', 'error', words, `start one: its callers get 503`, known.locate(cluster.ruleId))];
  });
}

/** There is somebody, but not all that the configuration names. */
function fewer({ snapshot, instances, locate }: Known): readonly Finding[] {
  return [...snapshot.mesh.services.values()].flatMap((service) => {
    if (service.kind === 'static' || service.port === null) return [];
    return service.versions.flatMap(({ name, instances: wanted }) => {
      const cluster = clusterName(service.name, name ?? undefined);
      const there = instances?.(cluster).length ?? 0;
      if (there === 0 || there >= wanted) return [];
      const words = `${cluster} has ${count(there, 'instance', 'instances')} of the ${wanted} that the configuration names`;
      return [finding('instances', 'warning', words, 'see `weft get proxies`', locate(service.ruleId))];
    });
  });
}

/** Clusters of the mesh by the instances that they mean, without their ports. */
function called(known: Known | null): ReadonlyMap<string, { readonly cluster: Cluster; readonly callers: string[] }> {
  const found = new Map<string, { readonly cluster: Cluster; readonly callers: string[] }>();
  for (const [account, { clusters }] of known?.snapshot.accounts ?? []) {
    for (const cluster of clusters) {
      if (cluster.kind !== 'mesh') continue;
      const key = clusterName(cluster.service, cluster.version ?? undefined);
      const entry = found.get(key) ?? { cluster, callers: [] };
      if (!entry.callers.includes(account)) entry.callers.push(account);
      found.set(key, entry);
    }
  }
  return found;
}

/** What another machine could read on its way. */
export const plaintext: Check = {
  name: 'plaintext',
  find: ({ known }) => (known === null ? [] : [...plainListeners(known), ...plainServices(known)]),
  fine: () => 'nothing crosses a network unencrypted',
};

function plainListeners({ snapshot, locate }: Known): readonly Finding[] {
  return [...snapshot.mesh.edges.values()].flatMap(({ name, listeners }) =>
    listeners
      .filter(({ tls, protocol, address }) => tls === null && protocol === 'http' && !isHere(address))
      .map(({ address, port, ruleId }) => {
        const words = `the edge ${name} takes plaintext from other machines on ${address}:${port}`;
        return finding('plaintext', 'warning', words, 'add tls: internal, or address: 127.0.0.1', locate(ruleId));
      }),
  );
}

function plainServices({ snapshot, locate }: Known): readonly Finding[] {
  return [...snapshot.mesh.services.values()].flatMap((service) => {
    if (service.kind !== 'static') return [];
    const far = service.endpoints.filter(({ host }) => !isHere(host));
    if (far.length === 0) return [];
    const places = far.map(({ host, port }) => `${host}:${port}`).join(', ');
    const words = `${service.name} is called in plaintext, at ${places}`;
    return [finding('plaintext', 'warning', words, 'put it into the mesh with a sidecar', locate(service.ruleId))];
  });
}

function isHere(host: string): boolean {
  return hostKind(host) === 'loopback';
}

export const disk: Check = {
  name: 'disk',
  find: ({ disk: facts }) => {
    if (facts === null) return [];
    const { folder, free, writable, exposed } = facts;
    const found: Finding[] = exposed.map((file) =>
      finding('disk', 'error', `others may read ${file}`, `chmod 600 ${file}; what was in it may be known`),
    );
    if (!writable) found.push(finding('disk', 'error', `${folder} cannot be written`, 'no change can be kept'));
    if (free < DISK.warning) {
      const level = free < DISK.error ? 'error' : 'warning';
      found.push(finding('disk', level, `${mebibytes(free)} are left for ${folder}`, 'make room'));
    }
    return found;
  },
  fine: ({ disk: facts }) =>
    facts === null
      ? 'the control plane is on another machine'
      : `${facts.folder} can be written, ${mebibytes(facts.free)} left`,
};

function mebibytes(bytes: number): string {
  return bytes < 10 * 1024 ** 3 ? `${Math.floor(bytes / 1024 ** 2)} MiB` : `${Math.floor(bytes / 1024 ** 3)} GiB`;
}

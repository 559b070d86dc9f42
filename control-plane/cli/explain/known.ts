// What there is to ask about: configuration files with nobody connected, or what a control plane has in force with the
// instances that it knows. Both are compiled here, as it compiles them.
import { compileSnapshot } from '../../../core/compile/snapshot.ts';
import { type ConfigText, parseConfig } from '../../../core/config/parse.ts';
import type { ConfigError } from '../../../core/config/problem.ts';
import type { Known } from '../../../core/explain/known.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { err, ok, type Result } from '../../../core/kit/result.ts';
import { clusterName, ruleId } from '../../../core/model/brand.ts';
import type { SourceMap } from '../../../core/model/mesh.ts';
import type { Endpoint } from '../../../core/model/view.ts';
import { readConfigFiles } from '../../../host/config-files.ts';
import { sha256Hex } from '../../../host/hash.ts';
import type { ProxyItem, ServiceItem } from '../../api/contract.ts';
import type { ApiClient } from '../api/client.ts';

export interface Asked {
  readonly known: Known;
  readonly warnings: readonly ConfigError[];
}

/** Everything that is wrong with them, or what they mean. */
export async function knownFromFiles(files: readonly string[]): Promise<Result<Asked, readonly ConfigError[]>> {
  const texts = await readConfigFiles(files);
  return texts.ok ? compiled(texts.value) : texts;
}

/** null: nothing is in force. Throws MeshError `control-plane-unreachable` or `operator-refused`. */
export async function knownFrom(client: ApiClient, proxies: readonly ProxyItem[]): Promise<Asked | null> {
  const [config, services] = await Promise.all([client.config(), client.list('services')]);
  if (config === null) return null;
  const asked = compiled(config.files);
  if (!asked.ok) {
    const [first] = asked.error;
    const detail = `its configuration means nothing to this version of Weft: ${first?.path ?? ''} ${first?.message ?? ''}`;
    throw new MeshError('control-plane-unreachable', { detail, hint: 'use the same version as the control plane' });
  }
  const instances = endpointsBy(services.items);
  return {
    warnings: asked.value.warnings,
    known: {
      ...asked.value.known,
      hash: config.snapshot,
      instances: (cluster) => instances.get(cluster) ?? [],
      trouble: troubleOf(proxies),
    },
  };
}

function compiled(texts: readonly ConfigText[]): Result<Asked, readonly ConfigError[]> {
  const parsed = parseConfig(texts);
  if (!parsed.ok) return parsed;
  const { mesh, sources, warnings } = parsed.value;
  const snapshot = compileSnapshot(mesh, sha256Hex);
  if (snapshot.ok)
    return ok({
      known: { hash: snapshot.value.hash, snapshot: snapshot.value, locate: locateIn(sources), instances: null },
      warnings,
    });
  return err(
    snapshot.error.map(({ ruleId: path, message }) => ({
      ...(sources.get(path) ?? { file: '', line: 1, column: 1 }),
      ...{ path, message, hint: '', severity: 'error' },
    })),
  );
}

function locateIn(sources: SourceMap): Known['locate'] {
  return (rule) => {
    const place = sources.get(ruleId(rule));
    return place === undefined ? '' : `${place.file}:${place.line}:${place.column}`;
  };
}

/** `orders` and `orders@v2` → who is there. */
function endpointsBy(services: readonly ServiceItem[]): ReadonlyMap<string, readonly Endpoint[]> {
  const found = new Map<string, Endpoint[]>();
  for (const { name: service, instances } of services) {
    for (const { name: id, version, host, port } of instances) {
      const names = new Set([clusterName(service), clusterName(service, version ?? undefined)]);
      for (const cluster of names) {
        const list = found.get(cluster) ?? [];
        list.push({ id, host, port, weight: 1 });
        found.set(cluster, list);
      }
    }
  }
  return found;
}

/** By what instances say of themselves, and their callers of them. */
function troubleOf(proxies: readonly ProxyItem[]): NonNullable<Known['trouble']> {
  const words = new Map<string, string>();
  const add = (service: string, instance: string, trouble: string): void => {
    const key = `${service} ${instance}`;
    const before = words.get(key);
    words.set(key, before === undefined ? trouble : `${before}; ${trouble}`);
  };
  for (const { name, account, status } of proxies) {
    if (status?.appHealth === 'down') add(account, name, `its app is down: ${status.appHealthReason}`);
    if (status?.draining === true) add(account, name, 'it drains');
    for (const { cluster, endpoint, reason } of status?.unreachable ?? []) {
      add(cluster.split(/[@:]/, 1)[0] ?? cluster, endpoint, `${name} cannot reach it: ${reason}`);
    }
  }
  return (service, instance) => words.get(`${service} ${instance}`) ?? null;
}

// Who shall be in the mesh: `orders-v1-1=orders@v1`, `edge-main=edge:main`, each held against the configuration.
import { nearestName } from '../../../core/config/nearest.ts';
import { MeshError } from '../../../core/kit/error.ts';
import type { Mesh } from '../../../core/model/mesh.ts';
import { edgeAccount, isAccount } from '../../../certs/policy/names.ts';

export interface Member {
  /** Name of the instance, and of its folder. */
  readonly instance: string;
  readonly account: string;
  readonly version: string | null;
}

/** Throws MeshError `usage` for the first that is not right. */
export function readMembers(words: readonly string[], mesh: Mesh): readonly Member[] {
  if (words.length === 0) throw usage('no instance is named', 'as in orders-1=orders or edge-main=edge:main');
  const members = words.map((word) => readMember(word, mesh));
  const names = members.map(({ instance }) => instance);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw usage(`${twice} is named twice`, 'each instance has a name of its own');
  return members;
}

function readMember(word: string, mesh: Mesh): Member {
  const [, instance = '', target = ''] = /^([^=]+)=([^=]+)$/.exec(word) ?? [];
  if (!isAccount(instance)) {
    throw usage(`'${word}' names no instance`, 'as in orders-1=orders, orders-v2-1=orders@v2 or edge-main=edge:main');
  }
  if (target.startsWith('edge:')) {
    const edge = known('edge', target.slice('edge:'.length), [...mesh.edges.keys()], word);
    return { instance, account: edgeAccount(edge), version: null };
  }
  const [name = '', version = null] = target.split('@');
  const workloads = [...mesh.services.values()].filter((service) => service.kind === 'workload');
  const account = known(
    'service',
    name,
    workloads.map((service) => service.name),
    word,
  );
  const versions = (workloads.find((service) => service.name === account)?.versions ?? []).flatMap(
    (each) => each.name ?? [],
  );
  if (version !== null) known('version', version, versions, word);
  else if (versions.length > 0) throw usage(`'${word}' needs a version`, `known: ${versions.join(', ')}`);
  return { instance, account, version };
}

function known(what: string, name: string, names: readonly string[], word: string): string {
  if (names.includes(name)) return name;
  const near = nearestName(name, names);
  const hint = near === null ? `known: ${names.join(', ') || 'none'}` : `did you mean ${near}?`;
  throw usage(`'${word}': the configuration has no ${what} '${name}'`, hint);
}

function usage(detail: string, hint: string): MeshError {
  return new MeshError('usage', { detail, hint });
}

// Services that name services: `calls` and `allow`, checked when all names are known.
import { edgeAccount } from '../model/brand.ts';
import type { Service } from '../model/mesh.ts';
import { suggestService, type Directory, type ServiceEntry } from './directory.ts';
import { suggestName } from './nearest.ts';
import { quote, type Path } from './problem.ts';
import type { Reader } from './reader.ts';

export function checkReferences(entry: ServiceEntry, directory: Directory): void {
  checkCalls(entry, directory);
  checkAllow(entry, directory);
}

/** Reports what keeps a service from being called; returns it where it is known and nothing is wrong. */
export function resolveTarget(
  reader: Reader,
  path: Path,
  name: string,
  directory: Directory,
  part: 'key' | 'value',
): Service | null {
  if (!directory.services.has(name)) {
    if (directory.complete) {
      const message = `found ${quote(name)}, expected a service of this configuration`;
      reader.error(path, message, () => suggestService(directory, name), part);
    }
    return null;
  }
  const service = directory.services.get(name) ?? null;
  if (service === null || directory.unsound.has(name)) return null;
  if (service.kind === 'workload' && service.port === null) {
    const message = `${quote(name)} is a job: it has no port, so nobody can call it`;
    reader.error(path, message, `give services.${name} a port`, part);
    return null;
  }
  return service;
}

function checkCalls({ name, reader, file }: ServiceEntry, directory: Directory): void {
  const seen = new Set<string>();
  (file.calls ?? []).forEach((callee: string | undefined, index) => {
    if (callee === undefined) return;
    const at = ['services', name, 'calls', index];
    if (callee === name) {
      reader.error(at, `${quote(name)} calls itself`, 'remove it: what a service does inside needs no mesh');
    } else if (seen.has(callee)) {
      reader.error(at, `${quote(callee)} is here twice`, 'remove one');
    } else if (callee.includes(':')) {
      const hint = `write ${callee.slice(0, callee.indexOf(':'))}: a call admits every port`;
      reader.error(at, `found ${quote(callee)}, expected a service without a port`, hint);
    } else if (callee.includes('@')) {
      const hint = `write ${callee.slice(0, callee.indexOf('@'))}: only routes choose a version`;
      reader.error(at, `found ${quote(callee)}, expected a service without a version`, hint);
    } else resolveTarget(reader, at, callee, directory, 'value');
    seen.add(callee);
  });
}

function checkAllow({ name, reader, file }: ServiceEntry, directory: Directory): void {
  (file.allow ?? []).forEach((rule, index) => {
    if (rule === undefined) return;
    const at: Path = ['services', name, 'allow', index, 'from'];
    const seen = new Set<string>();
    const from: readonly (string | undefined)[] = typeof rule.from === 'string' ? [rule.from] : rule.from;
    from.forEach((account, each) => {
      if (account === undefined) return;
      const place = typeof rule.from === 'string' ? at : [...at, each];
      if (seen.has(account)) reader.error(place, `${quote(account)} is here twice`, 'remove one');
      else checkAccount(reader, place, name, account, directory);
      seen.add(account);
    });
  });
}

function checkAccount(reader: Reader, path: Path, name: string, account: string, directory: Directory): void {
  if (account === name) {
    reader.error(path, `${quote(name)} allows itself`, 'remove it: what a service does inside needs no mesh');
    return;
  }
  const accounts = [...directory.services.keys(), ...[...directory.edges].map(edgeAccount)];
  if (accounts.includes(account)) {
    if (directory.services.get(account)?.kind === 'static') {
      reader.error(path, `${quote(account)} is outside the mesh and has no identity`, 'it cannot be let in');
    }
    return;
  }
  if (!directory.complete) return;
  reader.error(path, `found ${quote(account)}, expected a service or edge-<name>`, () =>
    directory.edges.has(account)
      ? `write ${edgeAccount(account)} for an edge`
      : suggestName(account, accounts) || suggestService(directory, account),
  );
}

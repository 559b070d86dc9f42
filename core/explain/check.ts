// `weft check`: is this mesh healthy? Every check says what it found amiss with its remedy, or that nothing is.
import { finding, type Check, type Finding, type MeshFacts } from './check-facts.ts';
import { authority, configuration, disk, instances, plaintext } from './check-mesh.ts';
import { apps, clocks, reachability, svids, versions, views } from './check-proxies.ts';

/** In the order in which they are said: what explains others comes first. */
const CHECKS: readonly Check[] = [
  configuration,
  clocks,
  versions,
  authority,
  svids,
  instances,
  apps,
  views,
  reachability,
  plaintext,
  disk,
];

/** Of one check; the rest is counted. */
const MOST = 50;

export function checkMesh(facts: MeshFacts): readonly Finding[] {
  return CHECKS.flatMap((check) => {
    const found = check.find(facts);
    // A configuration with warnings is in force all the same.
    if (found.length === 0) return [finding(check.name, 'ok', check.fine(facts))];
    if (found.length <= MOST) return found;
    const errors = found.filter(({ level }) => level === 'error');
    const kept = [...errors, ...found.filter(({ level }) => level !== 'error')].slice(0, MOST);
    const level = errors.length > MOST ? 'error' : 'warning';
    return [...kept, finding(check.name, level, `and ${found.length - MOST} more`)];
  });
}

/** The worst of them. */
export function worstOf(findings: readonly Finding[]): Finding['level'] {
  if (findings.some(({ level }) => level === 'error')) return 'error';
  return findings.some(({ level }) => level === 'warning') ? 'warning' : 'ok';
}

/** `error    instances      payments has no instance … → start one (weft.yaml:6:3)`. */
export function findingLine({ level, check, words, remedy, at }: Finding): string {
  const where = at === '' ? '' : ` (${at})`;
  const line = `${level.padEnd(8)} ${check.padEnd(14)} ${words}${where}${remedy === '' ? '' : ` → ${remedy}`}`;
  // Proxies and instances speak in it, and it goes onto terminals.
  return line.replaceAll(/\p{Cc}/gu, ' ');
}

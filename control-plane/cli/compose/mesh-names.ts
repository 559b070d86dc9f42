// Names of compose services → names in weft.yaml, which are DNS labels (RFC 1123) and not Weft's own.

const RESERVED = /^(weft-|edge-)/;
/** `edge-<name>` is a label too. */
const LONGEST = 58;
const LONGEST_DOMAIN = 100;

/** Compose service → its name in the mesh, each its own. */
export function meshNames(services: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  // Who needs no change goes first, so that nobody takes it the name.
  const ordered = services.toSorted((a, b) => Number(labelOf(a) !== a) - Number(labelOf(b) !== b));
  const taken = new Set<string>();
  for (const service of ordered) {
    const label = labelOf(service);
    let name = label;
    for (let count = 2; taken.has(name); count++) name = `${label}-${count}`;
    taken.add(name);
    names.set(service, name);
  }
  return names;
}

function labelOf(service: string): string {
  const plain = service
    .slice(0, LONGEST - 4)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  if (plain === '') return 'service';
  return RESERVED.test(plain) ? `svc-${plain}` : plain;
}

/** A trust domain from the project's name. */
export function trustDomainOf(project: string): string {
  const plain = project
    .slice(0, LONGEST_DOMAIN)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return `${plain === '' ? 'project' : plain}.weft.local`;
}

// Which names an authority may certify, by its own certificate. Source: RFC 5280 §4.2.1.10.
import { isIPv4 } from 'node:net';
import { childrenOf, DerError, expectTag, TAG, type Tlv } from './der-reader.ts';
import type { GeneralName } from './general-name.ts';

export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

/** `other`: of a kind that is not compared here; a certificate that it could be about is refused. */
export interface Subtree {
  readonly kind: GeneralName['kind'];
  /** A host, a domain that begins with a dot, a mailbox, or `10.0.0.0/255.0.0.0` in hex. */
  readonly base: string;
}

const KINDS: ReadonlyMap<number, GeneralName['kind']> = new Map([
  [0x81, 'email'],
  [0x82, 'dns'],
  [0x86, 'uri'],
  [0x87, 'ip'],
]);

/** Throws DerError. */
export function readNameConstraints(value: Tlv): NameConstraints {
  const parts = childrenOf(expectTag(value, TAG.sequence));
  if (parts.some(({ tag }) => tag !== 0xa0 && tag !== 0xa1)) throw new DerError('name constraints of a strange shape');
  const subtrees = (tag: number): Subtree[] => parts.filter((part) => part.tag === tag).flatMap(readSubtrees);
  return { permitted: subtrees(0xa0), excluded: subtrees(0xa1) };
}

/** null where all names are permitted; else why not. */
export function constraintBroken(
  { permitted, excluded }: NameConstraints,
  names: readonly GeneralName[],
  hasSubject: boolean,
): string | null {
  // Directory names are of this kind, and the subject is one.
  if (hasSubject && [...permitted, ...excluded].some(({ kind }) => kind === 'other')) return 'its subject';
  for (const name of names) {
    const alike = (subtree: Subtree): boolean => subtree.kind === name.kind;
    const matches = (subtree: Subtree): boolean => alike(subtree) && isWithin(name.value, subtree);
    const limits = permitted.filter(alike);
    if ((limits.length > 0 && !limits.some(matches)) || excluded.some(matches)) return `the name ${name.value}`;
  }
  return null;
}

function readSubtrees(part: Tlv): Subtree[] {
  return childrenOf(part).map((subtree) => {
    // RFC 5280 allows neither minimum nor maximum.
    const [base, ...rest] = childrenOf(expectTag(subtree, TAG.sequence));
    if (base === undefined || rest.length > 0) throw new DerError('name constraints of a strange shape');
    const kind = KINDS.get(base.tag) ?? 'other';
    return { kind, base: kind === 'ip' ? base.content.toString('hex') : base.content.toString('latin1').toLowerCase() };
  });
}

function isWithin(name: string, { kind, base }: Subtree): boolean {
  const value = name.toLowerCase();
  switch (kind) {
    case 'dns':
      return base === '' || value === base || value.endsWith(base.startsWith('.') ? base : `.${base}`);
    case 'uri':
      return isHostWithin(/^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?([^/:?#]*)/.exec(value)?.[1] ?? '', base);
    case 'email':
      return base.includes('@') ? value === base : isHostWithin(value.slice(value.lastIndexOf('@') + 1), base);
    case 'ip':
      return isAddressWithin(value, base);
    case 'other':
      return true;
  }
}

/** A dot before it: hosts of this domain; else this host alone. */
function isHostWithin(host: string, base: string): boolean {
  return base === '' || (base.startsWith('.') ? host.endsWith(base) : host === base);
}

/** `base`: address and mask, in hex. */
function isAddressWithin(address: string, base: string): boolean {
  const bytes = Buffer.from(base, 'hex');
  const own = isIPv4(address)
    ? Buffer.from(address.split('.').map(Number))
    : Buffer.from(
        address
          .split(':')
          .map((group) => group.padStart(4, '0'))
          .join(''),
        'hex',
      );
  const size = own.length;
  return bytes.length === 2 * size && own.every((byte, i) => ((byte ^ (bytes[i] ?? 0)) & (bytes[size + i] ?? 0)) === 0);
}

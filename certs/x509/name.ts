// Distinguished names, as far as Weft writes them: an organisation and a common name, or nothing at all.
import { oid, sequence, setOfOne, utf8 } from './der-writer.ts';
import { OID } from './oids.ts';

export interface Name {
  readonly organization?: string;
  readonly commonName?: string;
}

/** Attributes in the order from general to special. Source: RFC 5280 §4.1.2.4. */
export function encodeName(name: Name): Buffer {
  return sequence(
    name.organization !== undefined && attribute(OID.organization, name.organization),
    name.commonName !== undefined && attribute(OID.commonName, name.commonName),
  );
}

export function isEmptyName(name: Name): boolean {
  return name.organization === undefined && name.commonName === undefined;
}

function attribute(type: string, value: string): Buffer {
  return setOfOne(sequence(oid(type), utf8(value)));
}

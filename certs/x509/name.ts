// Distinguished names: written as far as Weft does, an organisation and a common name or nothing at all, and shown
// whatever they hold.
import { childrenOf, decoding, expectTag, readDer, readOid, TAG, type Tlv } from './der-reader.ts';
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

const LABELS: ReadonlyMap<string, string> = new Map([
  [OID.commonName, 'CN'],
  [OID.organization, 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.5', 'serialNumber'],
  ['1.2.840.113549.1.9.1', 'email'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
]);
const BMP_STRING = 0x1e;
const MOST_SHOWN = 200;

/** `CN=shop.test root, O=Weft`, from special to general; '' for an empty one. For people only: it is not quoted. */
export function describeName(raw: Uint8Array): string {
  const text = decoding(() =>
    childrenOf(expectTag(readDer(raw), TAG.sequence))
      .flatMap((set) => childrenOf(expectTag(set, TAG.set)))
      .map(describeAttribute)
      .toReversed()
      .join(', '),
  );
  return text.ok ? text.value.slice(0, MOST_SHOWN) : '(a name that cannot be read)';
}

function describeAttribute(pair: Tlv): string {
  const [type, value] = childrenOf(expectTag(pair, TAG.sequence));
  const id = readOid(type);
  const content = value?.content ?? Buffer.alloc(0);
  const isWide = value?.tag === BMP_STRING && content.length % 2 === 0;
  const text = isWide ? Buffer.from(content).swap16().toString('utf16le') : content.toString('utf8');
  // A name may not move the cursor of whoever looks at it.
  return `${LABELS.get(id) ?? id}=${text.replaceAll(/\p{C}/gu, '\uFFFD')}`;
}

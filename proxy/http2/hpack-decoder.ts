// Header blocks into fields (RFC 7541): one decoder per connection, because the blocks share a table. What
// comes out is bounded by limits; a list that is too large is still decoded, unkept, so that the table stays true.
import { isFieldValue, kindOfName, MALFORMED } from './field-kind.ts';
import { decodeHuffman } from './huffman.ts';
import type { Http2Limits } from './limits.ts';
import { STATIC_FIELDS } from './static-table.ts';

export interface FieldSink {
  /** `kind` of field-kind.ts. */
  onField(name: string, value: string, kind: number): void;
}

interface Field {
  readonly name: string;
  readonly value: string;
  /** Of the name alone, for literals that take only that. */
  readonly nameKind: number;
  readonly kind: number;
}

/** Bytes: a string keeps all of the text alive that it was cut from. */
const LONGEST_TEXT = 4_096;
/** What a field costs beside its characters (RFC 7541 §4.1). */
const OVERHEAD = 32;
const STATIC = STATIC_FIELDS.length;
const STATIC_ENTRIES: readonly Field[] = STATIC_FIELDS.map(({ name, value }) =>
  newField(name, value, kindOfName(name)),
);
/** No length and no index is longer; more digits are an overflow attempt. */
const MAX_INTEGER = 0x0fff_ffff;

export class HpackDecoder {
  /** Why `decode` said no. */
  detail = '';
  /** Of the last block: more than the limits allow, and not all of it was passed on. */
  tooLarge = false;

  readonly #limits: Http2Limits;
  /** A ring, the newest at `#newest`. */
  readonly #ring: (Field | undefined)[];
  #newest = -1;
  #count = 0;
  #size = 0;
  #maxSize: number;
  #bytes: Buffer = Buffer.alloc(0);
  /** The same from `#textAt` on, once a string is wanted: one call into native code for all strings of a block. */
  #text = '';
  #textAt = 0;
  #at = 0;
  #end = 0;
  #listBytes = 0;
  #listFields = 0;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
    this.#maxSize = limits.tableBytes;
    this.#ring = Array.from({ length: Math.floor(limits.tableBytes / OVERHEAD) + 1 }, () => undefined);
  }

  /** False: the connection cannot go on (COMPRESSION_ERROR), see `detail`. */
  decode(bytes: Buffer, start: number, end: number, sink: FieldSink): boolean {
    this.#bytes = bytes;
    this.#text = '';
    this.#at = start;
    this.#end = end;
    this.#listBytes = 0;
    this.#listFields = 0;
    this.tooLarge = false;
    this.detail = '';
    if (!this.#resize()) return false;
    while (this.#at < end) {
      const field = this.#field(bytes[this.#at] as number);
      if (field === null) return false;
      this.#emit(field, sink);
    }
    this.#text = '';
    return true;
  }

  #emit(field: Field, sink: FieldSink): void {
    this.#listBytes += sizeOf(field);
    this.#listFields += 1;
    if (this.#listBytes > this.#limits.headerBytes || this.#listFields > this.#limits.headerFields + PSEUDO_FIELDS)
      this.tooLarge = true;
    else sink.onField(field.name, field.value, field.kind);
  }

  #field(first: number): Field | null {
    if (first >= 0x80) return this.#indexed(this.#integer(7));
    if (first >= 0x40) {
      const field = this.#literal(this.#integer(6), true);
      if (field !== null) this.#insert(field);
      return field;
    }
    if (first >= 0x20) return this.#refuse('a table size update inside a block');
    return this.#literal(this.#integer(4), false);
  }

  #indexed(index: number): Field | null {
    if (index < 0) return null;
    return this.#lookUp(index) ?? this.#refuse('an index that is not in the table');
  }

  #lookUp(index: number): Field | undefined {
    if (index <= STATIC) return STATIC_ENTRIES[index - 1];
    const age = index - STATIC - 1;
    if (age >= this.#count) return undefined;
    const { length } = this.#ring;
    return this.#ring[(this.#newest - age + length) % length];
  }

  #literal(nameIndex: number, keep: boolean): Field | null {
    if (nameIndex < 0) return null;
    let name: string;
    let kind: number;
    if (nameIndex === 0) {
      const text = this.#string(keep);
      if (text === null) return null;
      name = text;
      kind = kindOfName(text);
    } else {
      const named = this.#lookUp(nameIndex);
      if (named === undefined) return this.#refuse('an index that is not in the table');
      name = named.name;
      kind = named.nameKind;
    }
    const value = this.#string(keep);
    return value === null ? null : newField(name, value, kind);
  }

  #string(keep: boolean): string | null {
    if (this.#at >= this.#end) return this.#refuse('a string that is cut off');
    const coded = (this.#bytes[this.#at] as number) >= 0x80;
    const length = this.#integer(7);
    if (length < 0) return null;
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) return this.#refuse('a string that is cut off');
    this.#at = end;
    if (!coded) return keep ? this.#bytes.toString('latin1', start, end) : this.#slice(start, end);
    return decodeHuffman(this.#bytes, start, end) ?? this.#refuse('a string that is no Huffman code');
  }

  /** A part of what was turned into text together, or where that ends a text of its own. */
  #slice(start: number, end: number): string {
    if (this.#text === '') {
      this.#textAt = start;
      this.#text = this.#bytes.toString('latin1', start, Math.min(this.#end, start + LONGEST_TEXT));
    }
    const from = start - this.#textAt;
    const to = end - this.#textAt;
    return to <= this.#text.length ? this.#text.slice(from, to) : this.#bytes.toString('latin1', start, end);
  }

  /** RFC 7541 §5.1; -1 where it is refused. The byte at hand holds the prefix. */
  #integer(prefix: number): number {
    const mask = (1 << prefix) - 1;
    let value = (this.#bytes[this.#at++] as number) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 28; shift += 7) {
      if (this.#at >= this.#end) {
        this.#refuse('an integer that is cut off');
        return -1;
      }
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 127) * 2 ** shift;
      if (value > MAX_INTEGER) break;
      if (byte < 128) return value;
    }
    this.#refuse('an integer that is too large');
    return -1;
  }

  /** Updates of the table's size stand before the first field, two at most (RFC 7541 §4.2). */
  #resize(): boolean {
    for (let seen = 0; this.#at < this.#end; seen++) {
      const first = this.#bytes[this.#at] as number;
      if (first < 0x20 || first >= 0x40) return true;
      const size = this.#integer(5);
      if (size < 0) return false;
      if (size > this.#limits.tableBytes || seen === 2) {
        this.#refuse('a table size that was not granted');
        return false;
      }
      this.#maxSize = size;
      this.#evict(0);
    }
    return true;
  }

  #insert(field: Field): void {
    const size = sizeOf(field);
    this.#evict(size);
    if (size > this.#maxSize) return;
    this.#newest = (this.#newest + 1) % this.#ring.length;
    this.#ring[this.#newest] = field;
    this.#count += 1;
    this.#size += size;
  }

  /** Makes room for so many bytes. */
  #evict(room: number): void {
    const { length } = this.#ring;
    while (this.#count > 0 && this.#size + room > this.#maxSize) {
      const oldest = (this.#newest - this.#count + 1 + length) % length;
      this.#size -= sizeOf(this.#ring[oldest] as Field);
      this.#ring[oldest] = undefined;
      this.#count -= 1;
    }
  }

  #refuse(detail: string): null {
    this.detail = detail;
    return null;
  }
}

/** Of a request; they are not counted as fields. */
const PSEUDO_FIELDS = 4;

function newField(name: string, value: string, nameKind: number): Field {
  const sound = isFieldValue(value);
  return { name, value, nameKind, kind: sound ? nameKind : MALFORMED };
}

function sizeOf(field: Field): number {
  return field.name.length + field.value.length + OVERHEAD;
}

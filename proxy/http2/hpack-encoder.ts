// Fields into header blocks (RFC 7541): one encoder per connection. It learns what repeats: a value goes into
// the table when it comes the second time, so that ids and dates never push out what is worth keeping.
import { MeshError } from '../../core/kit/error.ts';
import { detached } from '../kit/buffers.ts';
import { isFieldValue, kindOfName, MALFORMED, PER_HOP } from './field-kind.ts';
import { STATIC_FIELDS } from './static-table.ts';

const OVERHEAD = 32;
/** Until the peer says otherwise (RFC 9113 §6.5.2). */
const DEFAULT_SIZE = 4_096;
const STATIC = STATIC_FIELDS.length;
/** Values of one name that are remembered, beside those of the static table. */
const REMEMBERED = 4;
/** Longer values are always sent whole. */
const LONGEST = 256;
/** A name whose values missed so often in a row is one of those that always differ. */
const MISSES = 16;
/** Of those values one in so many is remembered. */
const REMEMBER_EVERY = 64;
/** Names that are remembered. */
const NAMES = 256;

/**
 * Secrets are neither kept in a table nor remembered: the size of a block must not tell anybody who shares the
 * connection whether he guessed one (RFC 7541 §7.1).
 */
const SECRET = new Set(['authorization', 'cookie', 'set-cookie', 'proxy-authorization']);

/** Written by the codec alone, or meant for one HTTP/1.1 connection: what a list holds of them is dropped. */
const OWN = new Set(['host', 'content-length', 'http2-settings']);

interface Known {
  readonly value: string;
  /** Below 0: index in the static table. Above: its number among the insertions. 0: seen once. */
  place: number;
}

interface Name {
  readonly lower: string;
  /** First index of the name in the static table; 0: none. */
  readonly index: number;
  readonly dropped: boolean;
  readonly secret: boolean;
  readonly known: Known[];
  readonly fixed: number;
  /** Number of the last insertion with this name. */
  place: number;
  turn: number;
  misses: number;
}

export class HpackEncoder {
  /** By name as it came, in any case. */
  #names = new Map<string, Name>();
  /** Sizes of the entries of the table, oldest first, from `#oldest` on. */
  #sizes: number[] = [];
  #oldest = 0;
  #inserted = 0;
  #dropped = 0;
  #size = 0;
  #maxSize: number;
  readonly #limit: number;
  /** Smallest size since the last block, if it has to be told. */
  #smallest = -1;

  readonly #length = newName('content-length', false);
  readonly #fieldNames: Name[] = [];
  readonly #fieldValues: string[] = [];
  readonly #fieldKnown: (Known | null)[] = [];
  #fields = 0;
  #room = 0;

  #out: Buffer = Buffer.allocUnsafeSlow(1_024);
  #at = 0;

  /** `limit`: most bytes that the table may have, whatever the peer grants. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#maxSize = Math.min(limit, DEFAULT_SIZE);
  }

  /** The block that `finish` made, up to its result. Good until the next one. */
  get block(): Buffer {
    return this.#out;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  resize(granted: number): void {
    const size = Math.min(granted, this.#limit);
    if (size === this.#maxSize) return;
    this.#maxSize = size;
    this.#smallest = this.#smallest < 0 ? size : Math.min(this.#smallest, size);
    this.#evict(0);
  }

  begin(): void {
    this.#fields = 0;
    this.#room = 0;
  }

  /** Throws MeshError `internal` for what cannot be written; nothing has changed then. */
  add(name: string, value: string): void {
    const known = this.#names.get(name) ?? this.#learn(name);
    if (!known.dropped) this.#take(known, value);
  }

  addLength(bytes: number): void {
    this.#take(this.#length, String(bytes));
  }

  /** Bytes of the block. */
  finish(): number {
    if (this.#out.length < this.#room + 16)
      this.#out = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(this.#room + 16)));
    this.#at = 0;
    if (this.#smallest >= 0) {
      this.#integer(0x20, 5, this.#smallest);
      if (this.#smallest !== this.#maxSize) this.#integer(0x20, 5, this.#maxSize);
      this.#smallest = -1;
    }
    for (let i = 0; i < this.#fields; i++) {
      this.#write(this.#fieldNames[i] as Name, this.#fieldValues[i] as string, this.#fieldKnown[i] as Known | null);
      this.#fieldValues[i] = '';
      this.#fieldKnown[i] = null;
    }
    return this.#at;
  }

  #take(known: Name, value: string): void {
    const found = find(known, value);
    if (found === null && !isFieldValue(value))
      throw new MeshError('internal', { detail: 'a field value cannot be written' });
    const at = this.#fields++;
    this.#fieldNames[at] = known;
    this.#fieldValues[at] = value;
    this.#fieldKnown[at] = found;
    this.#room += known.lower.length + value.length + 16;
  }

  #write(name: Name, value: string, found: Known | null): void {
    if (found !== null && found.place < 0) return this.#integer(0x80, 7, -found.place);
    if (found !== null && found.place > this.#dropped)
      return this.#integer(0x80, 7, STATIC + 1 + this.#inserted - found.place);
    // Never indexed, by nobody on the way: 0001 (RFC 7541 §6.2.3).
    if (name.secret) return this.#literal(0x10, 4, name, value);
    if (found === null) {
      remember(name, value);
      if (value.length > LONGEST || !this.#isNameWanted(name)) return this.#literal(0, 4, name, value);
    }
    const size = name.lower.length + value.length + OVERHEAD;
    if (size > this.#maxSize / 4) return this.#literal(0, 4, name, value);
    this.#literal(0x40, 6, name, value);
    this.#evict(size);
    this.#sizes.push(size);
    this.#size += size;
    name.place = ++this.#inserted;
    if (found !== null) found.place = name.place;
  }

  /** A name whose values always differ goes into the table with one of them now and then, and is an index from then on. */
  #isNameWanted({ index, place, misses }: Name): boolean {
    if (index > 0 || place > this.#dropped) return false;
    return misses === MISSES + 1 || (misses > MISSES && misses % REMEMBER_EVERY === 0);
  }

  #literal(form: number, prefix: number, name: Name, value: string): void {
    const index =
      name.index > 0 ? name.index : name.place > this.#dropped ? STATIC + 1 + this.#inserted - name.place : 0;
    this.#integer(form, prefix, index);
    if (index === 0) this.#string(name.lower);
    this.#string(value);
  }

  #integer(form: number, prefix: number, value: number): void {
    const mask = (1 << prefix) - 1;
    if (value < mask) {
      this.#out[this.#at++] = form | value;
      return;
    }
    this.#out[this.#at++] = form | mask;
    let rest = value - mask;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#out[this.#at++] = (rest & 127) | 128;
    this.#out[this.#at++] = rest;
  }

  #string(text: string): void {
    const { length } = text;
    this.#integer(0, 7, length);
    const out = this.#out;
    const at = this.#at;
    // For short strings the call into native code is what costs.
    if (length < 24) for (let i = 0; i < length; i++) out[at + i] = text.charCodeAt(i);
    else out.write(text, at, 'latin1');
    this.#at = at + length;
  }

  /** Makes room for so many bytes. */
  #evict(room: number): void {
    while (this.#size > 0 && this.#size + room > this.#maxSize) {
      this.#size -= this.#sizes[this.#oldest++] as number;
      this.#dropped += 1;
    }
    if (this.#oldest < 512) return;
    this.#sizes = this.#sizes.slice(this.#oldest);
    this.#oldest = 0;
  }

  #learn(name: string): Name {
    const kind = kindOfName(name.toLowerCase());
    if (kind === MALFORMED) throw new MeshError('internal', { detail: 'a field name cannot be written' });
    const lower = detached(name.toLowerCase());
    // What is forgotten here stays in the table until it is pushed out.
    if (this.#names.size >= NAMES) this.#names = new Map();
    const twin = this.#names.get(lower);
    const learnt = twin ?? newName(lower, kind === PER_HOP || OWN.has(lower));
    this.#names.set(detached(name), learnt);
    return learnt;
  }
}

function newName(lower: string, dropped: boolean): Name {
  const known: Known[] = [];
  let index = 0;
  STATIC_FIELDS.forEach((field, i) => {
    if (field.name !== lower) return;
    if (index === 0) index = i + 1;
    if (field.value !== '') known.push({ value: field.value, place: -(i + 1) });
  });
  return { lower, index, dropped, secret: SECRET.has(lower), known, fixed: known.length, place: 0, turn: 0, misses: 0 };
}

function find(name: Name, value: string): Known | null {
  const { known, misses } = name;
  // Of what always differs only what was remembered last could come again.
  if (misses > MISSES && misses % REMEMBER_EVERY >= REMEMBERED) return null;
  for (let i = 0; i < known.length; i++) {
    const one = known[i] as Known;
    if (one.value === value) {
      name.misses = 0;
      return one;
    }
  }
  return null;
}

function remember(name: Name, value: string): void {
  if (value.length > LONGEST) return;
  // Every so often one is remembered again: what differed yesterday may repeat today.
  if (++name.misses > MISSES && name.misses % REMEMBER_EVERY !== 0) return;
  const place = name.fixed + (name.turn++ % REMEMBERED);
  name.known[place] = { value: detached(value), place: 0 };
}

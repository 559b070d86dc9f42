// A request is looked through before it is read: a message of two bytes per entry would become objects of a hundred
// times its size. Walks the fields without making anything of them (Protocol Buffers, Encoding).
import type { DiscoveryDefinition } from '../../proto/gen/weft/v1/Discovery.ts';
import type { DiscoveryRequest__Output } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import { LIMITS } from '../../proto/codec/fields.ts';

/** Fields of the message itself: a subscription for each type, and room for what newer proxies may say. */
const MOST_FIELDS = 64;
/** Fields in those that have lists, of all together: what a proxy may hold and what it may ask for, and as much again. */
const MOST_ENTRIES = 2 * LIMITS.resources;
/** DiscoveryRequest: subscriptions, status, answer. */
const WITH_LISTS: ReadonlySet<number> = new Set([2, 5, 6]);

/** Stands before the decoder of the service. */
export class BoundedRequests {
  readonly definition: DiscoveryDefinition;
  /** The library would hide the reason behind one of its own, so such a request goes on, empty. */
  readonly #flaws = new WeakMap<DiscoveryRequest__Output, string>();

  constructor(definition: DiscoveryDefinition) {
    const { Stream } = definition;
    const requestDeserialize: typeof Stream.requestDeserialize = (bytes) => {
      const flaw = flawOf(bytes);
      if (flaw === null) return Stream.requestDeserialize(bytes);
      const empty = Stream.requestDeserialize(Buffer.alloc(0));
      this.#flaws.set(empty, flaw);
      return empty;
    };
    this.definition = { ...definition, Stream: { ...Stream, requestDeserialize } };
  }

  /** Why what came is not read; null: it was. */
  flawOf(request: DiscoveryRequest__Output): string | null {
    return this.#flaws.get(request) ?? null;
  }
}

/** Of a message that has more fields than any proxy has to say. What is malformed is left to the decoder. */
export function flawOf(bytes: Uint8Array): string | null {
  const fields: [begin: number, end: number][] = [];
  const all = walk(bytes, 0, bytes.length, MOST_FIELDS, (number, begin, end) => {
    if (WITH_LISTS.has(number)) fields.push([begin, end]);
  });
  if (all > MOST_FIELDS) return `the message has more than ${MOST_FIELDS} fields`;
  let left = MOST_ENTRIES;
  for (const [begin, end] of fields) {
    left -= walk(bytes, begin, end, left, () => {});
    if (left < 0) return `the message has more than ${MOST_ENTRIES} entries`;
  }
  return null;
}

/** Field numbers, and where the content of those with a length lies; the others are passed over. */
type Visit = (number: number, begin: number, end: number) => void;

/** How many fields there are, up to the first that is malformed; it stops once they are more than `most`. */
function walk(bytes: Uint8Array, begin: number, end: number, most: number, visit: Visit): number {
  let at = begin;
  let fields = 0;
  /** −1: it goes on beyond the end, or beyond what a number can be. */
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < end && scale <= 2 ** 63; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return -1;
  };
  while (at < end && fields <= most) {
    const tag = varint();
    const length = tag === -1 ? -1 : lengthOf(tag % 8, varint);
    if (length === -1 || at + length > end) return fields;
    fields++;
    if (tag % 8 === 2) visit(Math.floor(tag / 8), at, at + length);
    at += length;
  }
  return fields;
}

/** Of the content that follows, by wire type; −1: none that proto3 has. */
function lengthOf(type: number, varint: () => number): number {
  switch (type) {
    case 0:
      return varint() === -1 ? -1 : 0;
    case 1:
      return 8;
    case 2:
      return varint();
    case 5:
      return 4;
    default:
      return -1;
  }
}

// HTTP/2 messages that are written once and sent on many streams, their header fields in the HPACK table of the other
// side after the first (RFC 7541 §6.1, §6.2.1), as any codec would do with fields that repeat.
import { DATA, END_HEADERS, END_STREAM, frame, HEAD_LENGTH, HEADERS } from './frames.ts';

/** Lower-case names; pseudo-header fields first. */
export type Fields = readonly (readonly [string, string])[];

export interface MessageParts {
  readonly fields: Fields;
  readonly body: Buffer | null;
  readonly trailers: Fields | null;
}

/** `:status: 200` and `:method: GET`, fields that the static table holds whole (RFC 7541, appendix A). */
const STATIC = new Map([
  [':method GET', 2],
  [':method POST', 3],
  [':path /', 4],
  [':scheme http', 6],
  [':scheme https', 7],
  [':status 200', 8],
]);
const FIRST_DYNAMIC = 62;

/** Frames of one message, sent on any stream. */
export class Message {
  readonly #bytes: Buffer;
  readonly #streamAt: number[] = [];

  constructor(frames: readonly { readonly type: number; readonly flags: number; readonly payload: Buffer }[]) {
    let length = 0;
    const parts = frames.map(({ type, flags, payload }) => {
      this.#streamAt.push(length + 5);
      length += HEAD_LENGTH + payload.length;
      return frame(type, flags, 0, payload);
    });
    this.#bytes = Buffer.concat(parts);
  }

  on(stream: number): Buffer {
    const copy = Buffer.from(this.#bytes);
    for (const at of this.#streamAt) copy.writeUInt32BE(stream, at);
    return copy;
  }
}

export interface Repeated {
  /** Puts its fields into the other side's table. */
  readonly first: Message;
  /** Names them there. */
  readonly next: Message;
}

/** `indexed`: the other side keeps a table of the default 4096 bytes. All fields together must fit into it. */
export function repeated(parts: MessageParts, indexed: boolean): Repeated {
  const table = new Map<string, number>();
  const first = build(parts, (fields) => block(fields, table, indexed));
  return { first, next: build(parts, (fields) => block(fields, table, indexed)) };
}

function build({ fields, body, trailers }: MessageParts, encode: (fields: Fields) => Buffer): Message {
  const last = (is: boolean): number => (is ? END_STREAM : 0);
  const frames = [
    { type: HEADERS, flags: END_HEADERS | last(body === null && trailers === null), payload: encode(fields) },
  ];
  if (body !== null) frames.push({ type: DATA, flags: last(trailers === null), payload: body });
  if (trailers !== null) frames.push({ type: HEADERS, flags: END_HEADERS | END_STREAM, payload: encode(trailers) });
  return new Message(frames);
}

/** `table` counts: field → how many came before it. */
function block(fields: Fields, table: Map<string, number>, indexed: boolean): Buffer {
  const parts = fields.map(([name, value]) => {
    const field = `${name} ${value}`;
    const fixed = STATIC.get(field);
    if (fixed !== undefined) return integer(0x80, 7, fixed);
    const known = table.get(field);
    if (known !== undefined) return integer(0x80, 7, FIRST_DYNAMIC + table.size - 1 - known);
    if (indexed) table.set(field, table.size);
    return Buffer.concat([Buffer.from([indexed ? 0x40 : 0]), text(name), text(value)]);
  });
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  return Buffer.concat([integer(0, 7, Buffer.byteLength(value)), Buffer.from(value)]);
}

/** RFC 7541 §5.1. */
function integer(pattern: number, prefix: number, value: number): Buffer {
  const most = 2 ** prefix - 1;
  if (value < most) return Buffer.from([pattern | value]);
  const bytes = [pattern | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

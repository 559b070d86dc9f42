// Lists that are followed: a reader gets every item, then what changes. What it is too slow for is not queued: it gets the
// way from what it knows to what is newest, so that a reader costs one list at most, and that is shared.
import type { ServerResponse } from 'node:http';
import type { WatchedName } from './operation.ts';

export interface WatchesOptions {
  /** Each item with its name, and the hash of what is in force. */
  readonly read: (name: WatchedName) => {
    readonly snapshot: string | null;
    readonly items: readonly { readonly name: string }[];
  };
  /** Milliseconds, never back. */
  readonly now: () => number;
  /** Calls once after `ms`; the returned function cancels. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Between two looks, ms; longer where a look takes long. Default 1,000. */
  readonly every?: number;
  /** Without a line, ms; then `idle` is sent. Default 15,000. */
  readonly idle?: number;
  /** How long one may last, ms. Default an hour. */
  readonly longest?: number;
}

/** Readers at once; each holds a connection. */
const MOST_READERS = 32;
/** A reader that takes nothing for so long is let go, ms. */
const LONGEST_STALL = 60_000;
/** Share of a core that looking may take: one part in so many. */
const SHARE = 20;

/** Name → the item as JSON. One for all readers of a list. */
type Seen = ReadonlyMap<string, string>;

interface Look {
  readonly snapshot: string | null;
  readonly items: Seen;
}

interface Reader {
  readonly list: WatchedName;
  readonly response: ServerResponse;
  /** ms, as `now` counts. */
  readonly until: number;
  /** What it knows once `lines` are through. */
  seen: Look | null;
  lines: Iterator<string> | null;
  lastWrite: number;
}

export class Watches {
  readonly #options: WatchesOptions;
  readonly #readers = new Set<Reader>();
  #cancel: (() => void) | null = null;

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** Takes the response over, head included. False: there are too many already, and nothing was written. `life`: ms. */
  open(list: WatchedName, response: ServerResponse, life: number): boolean {
    if (this.#readers.size >= MOST_READERS) return false;
    const { now, longest = 3_600_000 } = this.#options;
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    const until = now() + Math.min(life, longest);
    const reader: Reader = { list, response, until, seen: null, lines: null, lastWrite: now() };
    this.#readers.add(reader);
    response.on('drain', () => this.#pump(reader));
    response.once('close', () => this.#drop(reader));
    this.#offer(reader, this.#look(list));
    this.#schedule(this.#options.every ?? 1_000);
    return true;
  }

  /** Lets everybody go. */
  close(): void {
    for (const reader of this.#readers) this.#end(reader, 'the control plane stops');
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(wait: number): void {
    if (this.#cancel !== null || this.#readers.size === 0) return;
    this.#cancel = this.#options.after(wait, () => {
      this.#cancel = null;
      this.#tick();
    });
  }

  #tick(): void {
    const { now, every = 1_000 } = this.#options;
    const begin = now();
    const looks = new Map<WatchedName, Look>();
    for (const reader of this.#readers) {
      const look = looks.get(reader.list) ?? this.#look(reader.list);
      looks.set(reader.list, look);
      this.#offer(reader, look);
    }
    this.#schedule(Math.max(every, (now() - begin) * SHARE));
  }

  #look(list: WatchedName): Look {
    const { snapshot, items } = this.#options.read(list);
    const seen = new Map<string, string>();
    // A snapshot that is in force again stands twice in the history: the newest comes first, and counts.
    for (const item of items) if (!seen.has(item.name)) seen.set(item.name, JSON.stringify(item));
    return { snapshot, items: seen };
  }

  #offer(reader: Reader, look: Look): void {
    const { now, idle = 15_000 } = this.#options;
    if (now() >= reader.until) return this.#end(reader, 'its time is up');
    if (reader.lines !== null) {
      // It is still at what it was given before.
      if (now() - reader.lastWrite > LONGEST_STALL) this.#drop(reader);
      return;
    }
    reader.lines = linesBetween(reader.seen, look);
    reader.seen = look;
    this.#pump(reader);
    if (now() - reader.lastWrite >= idle) this.#write(reader, '{"type":"idle"}\n');
  }

  /** As much as the connection takes. */
  #pump(reader: Reader): void {
    while (reader.lines !== null && !reader.response.writableNeedDrain) {
      const next = reader.lines.next();
      if (next.done === true) reader.lines = null;
      else this.#write(reader, next.value);
    }
  }

  #write(reader: Reader, line: string): void {
    reader.lastWrite = this.#options.now();
    reader.response.write(line);
  }

  #end(reader: Reader, reason: string): void {
    this.#readers.delete(reader);
    reader.response.end(`${JSON.stringify({ type: 'end', reason })}\n`);
  }

  #drop(reader: Reader): void {
    this.#readers.delete(reader);
    reader.response.destroy();
  }
}

function* linesBetween(before: Look | null, after: Look): Generator<string> {
  if (before !== null) {
    for (const name of before.items.keys()) {
      if (!after.items.has(name)) yield `${JSON.stringify({ type: 'removed', name })}\n`;
    }
  }
  const changed = before === null || before.snapshot !== after.snapshot;
  for (const [name, item] of after.items) {
    if (before?.items.get(name) === item) continue;
    yield `{"type":"item","item":${item}}\n`;
  }
  if (changed) yield `${JSON.stringify({ type: 'synced', snapshot: after.snapshot })}\n`;
}

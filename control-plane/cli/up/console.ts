// What `weft up` shows: one stream of lines, each with the name of the process that said it. JSON log lines of
// Weft's own processes are shown for people.

export interface ConsoleOutput {
  write(text: string): unknown;
  /** Bytes that wait for a reader, as in Node's Writable. */
  readonly writableLength?: number;
}

// Lines wait in memory for a slow reader, but not without end: what is over is dropped and counted.
const LONGEST_BACKLOG = 1024 * 1024;

const COLOURS = [36, 32, 35, 34, 33, 96, 92, 95, 94, 93];
const LEVELS: Readonly<Record<string, number>> = { error: 31, warn: 33, info: 2, debug: 2 };
// Said by the prefix already, or noise to a reader.
const EMPTY = new Set<unknown>(['', '-', null, undefined]);
const HIDDEN = new Set(['level', 'time', 'name', 'message', 'pid']);

export class Console {
  readonly #out: ConsoleOutput;
  readonly #colour: boolean;
  readonly #colours = new Map<string, number>();
  #width = 4;
  #dropped = 0;

  constructor(out: ConsoleOutput, colour: boolean) {
    this.#out = out;
    this.#colour = colour;
  }

  /** Weft's own word. */
  say(text: string): void {
    this.#line('weft', 1, text);
  }

  /** A line of a process; `name` such as `orders-v1-1` or `orders-v1-1 sidecar`. */
  line(name: string, text: string): void {
    let colour = this.#colours.get(name);
    if (colour === undefined) {
      colour = COLOURS[this.#colours.size % COLOURS.length] ?? 0;
      this.#colours.set(name, colour);
    }
    this.#line(name, colour, this.#readable(text));
  }

  #line(name: string, colour: number, text: string): void {
    if ((this.#out.writableLength ?? 0) > LONGEST_BACKLOG) {
      this.#dropped += 1;
      return;
    }
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.say(`${dropped} lines are not shown: nobody read them`);
    this.#width = Math.max(this.#width, name.length);
    this.#out.write(`${this.#paint(colour, `${name.padEnd(this.#width)} |`)} ${text}\n`);
  }

  #paint(colour: number, text: string): string {
    return this.#colour ? `\u001b[${colour}m${text}\u001b[0m` : text;
  }

  #readable(text: string): string {
    const fields = logFields(text);
    if (fields === null) return text;
    const level = String(fields['level']);
    const rest = Object.entries(fields)
      .filter(([key, value]) => !HIDDEN.has(key) && !EMPTY.has(value))
      .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    return [this.#paint(LEVELS[level] ?? 0, level), String(fields['message']), ...rest].join(' ');
  }
}

/** The fields of a JSON log line, or null for any other text. */
function logFields(text: string): Record<string, unknown> | null {
  if (!text.startsWith('{')) return null;
  try {
    const fields = JSON.parse(text) as Record<string, unknown>;
    return typeof fields['level'] === 'string' && typeof fields['message'] === 'string' ? fields : null;
  } catch {
    return null;
  }
}

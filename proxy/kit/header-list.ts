// Header fields as one flat list, in order and in the case they came in, so that HTTP/1.1 → HTTP/1.1
// changes neither. HTTP/2 puts lower-case names in. Look-ups take the lower-case name. The list also knows which
// of its fields came in lines that can go on as they are: most fields of most heads.

/** Fields from index `first` up to `end`, whose lines are `source` from `from` up to `to`. */
export interface Run {
  readonly first: number;
  end: number;
  readonly from: number;
  to: number;
}

export class HeaderList {
  /** The text that `runs` lie in. */
  source = '';
  readonly #fields: string[] = [];
  #runs: Run[] = NONE;

  /** name, value, name, value, … */
  get fields(): readonly string[] {
    return this.#fields;
  }

  /** In order; what changes a field takes it out of them. */
  get runs(): readonly Run[] {
    return this.#runs;
  }

  add(name: string, value: string): void {
    this.#fields.push(name, value);
  }

  /** A field whose line, `name: value` and CRLF and nothing else, ends at `to` in `source`. Both were checked. */
  addLine(name: string, value: string, to: number): void {
    const fields = this.#fields;
    const first = fields.length;
    fields.push(name, value);
    const from = to - lineLength(name, value);
    const last = this.#runs.at(-1);
    if (last !== undefined && last.end === first && last.to === from) {
      last.end = first + 2;
      last.to = to;
      return;
    }
    const run = { first, end: first + 2, from, to };
    if (last === undefined) this.#runs = [run];
    else this.#runs.push(run);
  }

  /** First value of a field, or undefined. */
  get(lowerName: string): string | undefined {
    const fields = this.#fields;
    for (let i = 0; i < fields.length; i += 2) {
      if (sameName(fields[i] as string, lowerName)) return fields[i + 1];
    }
    return undefined;
  }

  /** Every value of a field, in order. */
  getAll(lowerName: string): string[] {
    const fields = this.#fields;
    const values: string[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      if (sameName(fields[i] as string, lowerName)) values.push(fields[i + 1] as string);
    }
    return values;
  }

  /** Replaces every field of this name by one, at the first one's place, or appends it. */
  set(lowerName: string, value: string): void {
    const fields = this.#fields;
    for (let i = 0; i < fields.length; i += 2) {
      if (!sameName(fields[i] as string, lowerName)) continue;
      this.setAt(i, value);
      this.#removeFrom(i + 2, lowerName);
      return;
    }
    fields.push(lowerName, value);
  }

  /** Of the field whose name is at `index`. */
  setAt(index: number, value: string): void {
    if (this.#fields[index + 1] === value) return;
    this.#split(index);
    this.#fields[index + 1] = value;
  }

  /** The field whose name is at `index`. */
  removeAt(index: number): void {
    this.#split(index);
    this.#fields.splice(index, 2);
    this.#runs = this.#runs.map((run) =>
      run.first > index ? { ...run, first: run.first - 2, end: run.end - 2 } : run,
    );
  }

  remove(lowerName: string): void {
    this.#removeFrom(0, lowerName);
  }

  /** Removes every field whose lower-case name starts with this. */
  removePrefix(lowerPrefix: string): void {
    const fields = this.#fields;
    for (let i = fields.length - 2; i >= 0; i -= 2) {
      const name = fields[i] as string;
      if (name.length >= lowerPrefix.length && name.slice(0, lowerPrefix.length).toLowerCase() === lowerPrefix) {
        this.removeAt(i);
      }
    }
  }

  get count(): number {
    return this.#fields.length / 2;
  }

  #removeFrom(start: number, lowerName: string): void {
    const fields = this.#fields;
    for (let i = fields.length - 2; i >= start; i -= 2) {
      if (sameName(fields[i] as string, lowerName)) this.removeAt(i);
    }
  }

  /** Takes one field out of the run that it is in, if any. */
  #split(index: number): void {
    const at = this.#runs.findIndex(({ first, end }) => first <= index && index < end);
    const run = this.#runs[at];
    if (run === undefined) return;
    const fields = this.#fields;
    let from = run.from;
    for (let i = run.first; i < index; i += 2) from += lineLength(fields[i] as string, fields[i + 1] as string);
    const to = from + lineLength(fields[index] as string, fields[index + 1] as string);
    const parts = [
      { first: run.first, end: index, from: run.from, to: from },
      { first: index + 2, end: run.end, from: to, to: run.to },
    ];
    this.#runs = this.#runs.toSpliced(at, 1, ...parts.filter(({ first, end }) => first < end));
  }
}

const NONE: Run[] = [];

/** Of `name: value` and CRLF. */
function lineLength(name: string, value: string): number {
  return name.length + value.length + 4;
}

function sameName(name: string, lowerName: string): boolean {
  return name.length === lowerName.length && (name === lowerName || name.toLowerCase() === lowerName);
}

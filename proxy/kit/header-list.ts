// Header fields as one flat list, in order and in the case they came in, so that HTTP/1.1 → HTTP/1.1
// changes neither. HTTP/2 puts lower-case names in. Look-ups take the lower-case name.

export class HeaderList {
  /** name, value, name, value, … */
  readonly fields: string[] = [];

  add(name: string, value: string): void {
    this.fields.push(name, value);
  }

  /** First value of a field, or undefined. */
  get(lowerName: string): string | undefined {
    const { fields } = this;
    for (let i = 0; i < fields.length; i += 2) {
      if (sameName(fields[i] as string, lowerName)) return fields[i + 1];
    }
    return undefined;
  }

  /** Every value of a field, in order. */
  getAll(lowerName: string): string[] {
    const { fields } = this;
    const values: string[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      if (sameName(fields[i] as string, lowerName)) values.push(fields[i + 1] as string);
    }
    return values;
  }

  /** Replaces every field of this name by one, at the first one's place, or appends it. */
  set(lowerName: string, value: string): void {
    const { fields } = this;
    for (let i = 0; i < fields.length; i += 2) {
      if (!sameName(fields[i] as string, lowerName)) continue;
      fields[i + 1] = value;
      this.#removeFrom(i + 2, lowerName);
      return;
    }
    fields.push(lowerName, value);
  }

  remove(lowerName: string): void {
    this.#removeFrom(0, lowerName);
  }

  /** Removes every field whose lower-case name starts with this. */
  removePrefix(lowerPrefix: string): void {
    const { fields } = this;
    for (let i = fields.length - 2; i >= 0; i -= 2) {
      const name = fields[i] as string;
      if (name.length >= lowerPrefix.length && name.slice(0, lowerPrefix.length).toLowerCase() === lowerPrefix) {
        fields.splice(i, 2);
      }
    }
  }

  get count(): number {
    return this.fields.length / 2;
  }

  #removeFrom(start: number, lowerName: string): void {
    const { fields } = this;
    for (let i = fields.length - 2; i >= start; i -= 2) {
      if (sameName(fields[i] as string, lowerName)) fields.splice(i, 2);
    }
  }
}

function sameName(name: string, lowerName: string): boolean {
  return name.length === lowerName.length && (name === lowerName || name.toLowerCase() === lowerName);
}

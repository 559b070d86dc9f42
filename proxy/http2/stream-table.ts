// The open streams of a connection by their number. A Map makes itself a new table whenever it is full of what was deleted,
// and the old one, full of streams that are over, points to it: once one such table is old in V8's eyes, each keeps the next
// alive, with all its requests, until a major collection (bench/PROFILE.md).

const FIRST_SLOTS = 8;

/** Open addressing, at most half full; numbers go up by two. */
export class StreamTable<S extends { readonly id: number }> {
  #slots: (S | null)[] = emptySlots(FIRST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): S | undefined {
    return this.#slots[this.#find(id)] ?? undefined;
  }

  /** None of this number may be there. */
  add(stream: S): void {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#grow();
    this.#size += 1;
    this.#slots[this.#find(stream.id)] = stream;
  }

  /** False: it was not there. */
  delete(id: number): boolean {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#find(id);
    if (slots[hole] === null) return false;
    this.#size -= 1;
    slots[hole] = null;
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at] ?? null;
      if (stream === null) return true;
      // It stays where the hole is not on the way from its own place.
      const home = (stream.id >>> 1) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = stream;
      slots[at] = null;
      hole = at;
    }
  }

  /** As they are now, in the order of their numbers. */
  all(): S[] {
    return this.#slots.filter((stream) => stream !== null).toSorted((a, b) => a.id - b.id);
  }

  /** Where it is, or would be. */
  #find(id: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = (id >>> 1) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at] ?? null;
      if (stream === null || stream.id === id) return at;
    }
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = emptySlots(before.length * 2);
    for (const stream of before) if (stream !== null) this.#slots[this.#find(stream.id)] = stream;
  }
}

function emptySlots<S>(count: number): (S | null)[] {
  return Array.from({ length: count }, () => null);
}

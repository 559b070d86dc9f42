// Which configurations were in force, kept across restarts: the last ones with their texts, which of them is in
// force now and why, and an audit log that names who.
import { MeshError } from '../../core/kit/error.ts';
import type { ConfigText } from '../../core/config/parse.ts';
import type { Store } from '../store/store.ts';
import { readEntry, readInForce, type HistoryEntry, type InForce } from './history-entry.ts';

export interface HistoryOptions {
  readonly store: Store;
  /** Of configurations kept; default 50. */
  readonly most?: number;
  /** Of their texts, in UTF-16 units of all together; default 64 Mi. The one in force is always kept. */
  readonly mostText?: number;
  /** One line for the log. */
  readonly onDamage: (what: string) => void;
}

export type NewEntry = Omit<HistoryEntry, 'number' | 'size'>;

const FOLDER = 'history';
const IN_FORCE = 'in-force';
const AUDIT = 'audit';

export class History {
  readonly #options: HistoryOptions;
  /** Oldest first. */
  #entries: HistoryEntry[] = [];
  #inForce: InForce | null = null;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Reads what is kept and writes nothing. What is damaged is left out, and said. */
  async load(): Promise<void> {
    const { store, onDamage } = this.#options;
    for (const key of await store.keys(FOLDER)) {
      const read = readEntry(numberOf(key), (await store.get(key))?.value ?? '');
      if (read === null) onDamage(`${key} of the history cannot be read: it is left out`);
      else this.#entries.push(read.entry);
    }
    const stored = await store.get(IN_FORCE);
    this.#inForce = stored === null ? null : readInForce(stored.value);
    if (stored !== null && this.#inForce === null) onDamage('which configuration was in force cannot be read');
    // One that was written and never got in force, as after a crash between the two, is none of the history.
    const last = this.#inForce?.number ?? Number.POSITIVE_INFINITY;
    this.#entries = this.#entries.filter(({ number }) => number <= last);
  }

  /** Oldest first. */
  get entries(): readonly HistoryEntry[] {
    return this.#entries;
  }

  get inForce(): InForce | null {
    return this.#inForce;
  }

  /** null: it is not kept any more, or was damaged meanwhile. */
  async textsOf(number: number): Promise<readonly ConfigText[] | null> {
    const stored = await this.#options.store.get(keyOf(number));
    return readEntry(number, stored?.value ?? '')?.files ?? null;
  }

  /** The last lines of the audit log, newest first. */
  async audit(most: number): Promise<readonly unknown[]> {
    return (await this.#options.store.tail(AUDIT, most)).toReversed();
  }

  /**
   * Resolves once the configuration would be found in force after a power cut. Throws MeshError `file-unreadable`
   * with the one before it in force.
   */
  async record(entry: NewEntry, files: readonly ConfigText[], watched: InForce['watched']): Promise<void> {
    const { store } = this.#options;
    const number = (this.#inForce?.number ?? this.#entries.at(-1)?.number ?? 0) + 1;
    const value = JSON.stringify({ ...entry, files });
    await store.put(keyOf(number), value);
    // From here on it counts.
    await this.#putInForce({ number, source: entry.source, watched });
    this.#entries.push({ ...entry, number, size: value.length });
    await this.#settle(entry, number);
  }

  /** The entry stays; where it comes from is another. */
  async claim(source: InForce['source'], watched: InForce['watched']): Promise<void> {
    if (this.#inForce !== null) await this.#putInForce({ number: this.#inForce.number, source, watched });
  }

  /** What a crash kept from being done: the audit line of the last change. */
  async recover(): Promise<void> {
    const entry = this.#entries.find(({ number }) => number === this.#inForce?.number);
    if (entry === undefined) return;
    const known = await this.#options.store.tail(AUDIT, 1);
    const said = known.some((line) => hasNumber(line) && line.number >= entry.number);
    if (!said) await this.#audit(entry, entry.number);
  }

  async #putInForce(inForce: InForce): Promise<void> {
    await this.#options.store.put(IN_FORCE, JSON.stringify(inForce));
    this.#inForce = inForce;
  }

  /** The change is in force already: what fails here is said and costs nothing of it. */
  async #settle(entry: NewEntry, number: number): Promise<void> {
    try {
      await this.#audit(entry, number);
      await this.#prune();
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      this.#options.onDamage(`the configuration is kept, but not all of its history: ${error.detail}`);
    }
  }

  async #audit({ hash, time, source, who, services, edges }: NewEntry, number: number): Promise<void> {
    await this.#options.store.append(AUDIT, {
      time: new Date(time).toISOString(),
      action: source,
      who,
      hash,
      number,
      services,
      edges,
    });
  }

  async #prune(): Promise<void> {
    const { store, most = 50, mostText = 64 * 1024 * 1024 } = this.#options;
    let text = this.#entries.reduce((sum, { size }) => sum + size, 0);
    while (this.#entries.length > most || text > mostText) {
      const oldest = this.#entries.find(({ number }) => number !== this.#inForce?.number);
      if (oldest === undefined) return;
      await store.delete(keyOf(oldest.number));
      this.#entries = this.#entries.filter((entry) => entry !== oldest);
      text -= oldest.size;
    }
  }
}

function keyOf(number: number): string {
  return `${FOLDER}/${String(number).padStart(10, '0')}`;
}

function numberOf(key: string): number {
  const digits = key.slice(FOLDER.length + 1);
  return /^[0-9]{10}$/.test(digits) ? Number(digits) : 0;
}

function hasNumber(line: unknown): line is { readonly number: number } {
  return typeof line === 'object' && line !== null && 'number' in line && typeof line.number === 'number';
}

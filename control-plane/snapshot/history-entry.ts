// One configuration of the history, and which of them is in force: what is kept of them, and how it is read again.
import type { ConfigText } from '../../core/config/parse.ts';

export type ChangeSource = 'file' | 'apply' | 'rollback';

export interface HistoryEntry {
  /** Counts up and is never used twice. */
  readonly number: number;
  /** Of the snapshot. */
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly source: ChangeSource;
  /** As the caller named themselves; the watched files for `file`. */
  readonly who: string;
  readonly services: number;
  readonly edges: number;
  /** Of the kept text, in UTF-16 units. */
  readonly size: number;
}

export interface InForce {
  /** Of the entry. */
  readonly number: number;
  readonly source: ChangeSource;
  /** The watched files at that time. */
  readonly watched: Watched;
}

export interface Watched {
  readonly names: readonly string[];
  /** Of what stood in them; '' where they could not be read. */
  readonly hash: string;
}

/** null: it is not what was kept. */
export function readEntry(
  number: number,
  text: string,
): { readonly entry: HistoryEntry; readonly files: readonly ConfigText[] } | null {
  const fields = fieldsOf(text);
  const [hash, who, source] = [fields.get('hash'), fields.get('who'), readSource(fields.get('source'))];
  const [time, services, edges] = ['time', 'services', 'edges'].map((name) => fields.get(name));
  const files = fields.get('files');
  if (typeof hash !== 'string' || typeof who !== 'string' || source === null) return null;
  if (typeof time !== 'number' || typeof services !== 'number' || typeof edges !== 'number') return null;
  if (!Array.isArray(files) || !files.every(isText)) return null;
  return { entry: { number, hash, who, source, time, services, edges, size: text.length }, files };
}

/** null: it is not what was kept. */
export function readInForce(text: string): InForce | null {
  const fields = fieldsOf(text);
  const [number, source, watched] = [fields.get('number'), readSource(fields.get('source')), fields.get('watched')];
  return typeof number === 'number' && source !== null && isWatched(watched) ? { number, source, watched } : null;
}

export function isText(value: unknown): value is ConfigText {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('text' in value)) return false;
  return typeof value.name === 'string' && typeof value.text === 'string';
}

function isWatched(value: unknown): value is Watched {
  if (typeof value !== 'object' || value === null || !('names' in value) || !('hash' in value)) return false;
  const { names, hash } = value;
  return typeof hash === 'string' && Array.isArray(names) && names.every((name) => typeof name === 'string');
}

function readSource(value: unknown): ChangeSource | null {
  return value === 'file' || value === 'apply' || value === 'rollback' ? value : null;
}

function fieldsOf(text: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  } catch {
    return new Map();
  }
}

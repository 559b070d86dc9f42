// Text of a compose file → plain value with lines: the first step of `weft compose`. Bounded, because the file may be
// anybody's; with merge keys (`<<`), which compose files use.
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { err, ok, type Result } from '../../../core/kit/result.ts';

/** UTF-16 units. */
const MAX_TEXT = 1024 * 1024;
/** Anchors are a habit in compose files: a hundred services may well share one. */
const MAX_ALIASES = 1000;

export type Mapping = Readonly<Record<string, unknown>>;
export type Path = readonly (string | number)[];

export interface ComposeSource {
  /** As the user named it. */
  readonly file: string;
  /** Without its folder: what stands in the files that are written. */
  readonly name: string;
  readonly value: Mapping;
  /** From 1; of the nearest place above where the path leads nowhere (into a merged anchor, say). */
  lineOf(path: Path): number;
}

/** The error is one sentence that begins with `file:line: `. */
export function readComposeSource(file: string, text: string): Result<ComposeSource, string> {
  if (text.length > MAX_TEXT) return err(`${file}: ${text.length} characters, expected at most ${MAX_TEXT}`);
  const lines = new LineCounter();
  let document: Document.Parsed;
  let value: unknown;
  try {
    document = parseDocument(text, { merge: true, lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
    const fault = document.errors[0];
    if (fault !== undefined) {
      return err(
        `${file}:${lines.linePos(fault.pos[0]).line}: not valid YAML: ${fault.message.replaceAll(/\s+/g, ' ')}`,
      );
    }
    value = JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: MAX_ALIASES })));
  } catch (error) {
    // The library recurses: RangeError is nesting without end, ReferenceError a bomb of aliases or one that means nothing.
    const reason = error instanceof RangeError ? 'nested too deep' : 'its aliases lead nowhere or expand without end';
    return err(`${file}: ${reason}`);
  }
  if (!isMapping(value)) return err(`${file}:1: expected a compose file: a mapping with services`);
  const name = file.split('/').at(-1) ?? file;
  return ok({ file, name, value, lineOf: (path) => lines.linePos(offsetOf(document, path)).line });
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A mapping's entries; none where the value is something else. */
export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isMapping(value) ? Object.entries(value) : [];
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Text of a scalar, as Compose takes numbers and booleans where text is meant; null for everything else. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (pair === undefined) return offset;
      // The key's line: a long value begins on the line below it.
      offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined;
}

// YAML text → plain value with positions: the first step of the configuration flow. Bounded in size, in
// nesting and in aliases, because an edge may be given configuration that nobody looked at.
import { Composer, isAlias, isMap, isScalar, isSeq, LineCounter, Parser } from 'yaml';
import type { CST, Document, Node, Pair, ParsedNode, YAMLMap } from 'yaml';
import type { SourcePosition } from '../model/mesh.ts';
import { lex } from './lexemes.ts';
import { formatPath, quote, type ConfigError, type Path } from './problem.ts';

/** UTF-16 units of one file. */
export const MAX_TEXT = 1024 * 1024;
/** Levels of YAML nesting; the deepest real key is at about 8 (the parser counts some levels twice). */
const MAX_NESTING = 64;
const MAX_ALIASES = 100;

/** One file that could be read: its value, and where each part of it stands. */
export interface ConfigDocument {
  readonly name: string;
  /** Plain data, as JSON would hold it: strings, numbers, booleans, null, arrays, objects. */
  readonly value: unknown;
  /** Where the value at a path stands, or its key. A path that leads nowhere gives the nearest place above. */
  locate(path: Path, part: 'key' | 'value'): SourcePosition;
}

export interface ReadDocument {
  /** null: the text is not YAML that can be looked into. */
  readonly document: ConfigDocument | null;
  readonly errors: readonly ConfigError[];
}

export function readDocument(name: string, text: string): ReadDocument {
  if (text.length > MAX_TEXT) {
    const message = `found ${text.length} characters, expected at most ${MAX_TEXT}`;
    return failed(syntaxError(name, { line: 1, column: 1 }, message, 'split it: several files are merged'));
  }
  const lines = new LineCounter();
  const place = (offset: number) => placeAt(lines, offset);
  const tokens = tokenize(text, lines);
  if (!tokens.ok) {
    const message = `nested deeper than ${MAX_NESTING} levels`;
    return failed(syntaxError(name, place(tokens.offset), message, 'no key of Weft lies that deep'));
  }
  const [yaml, second] = new Composer({
    prettyErrors: false,
    uniqueKeys: false,
    resolveKnownTags: false,
    logLevel: 'silent',
  }).compose(tokens.value, true, text.length);
  if (yaml === undefined) return failed(syntaxError(name, { line: 1, column: 1 }, 'the file is empty', ''));
  if (second !== undefined) {
    const hint = 'put it into a file of its own: several files are merged';
    const at = place(startOf(second.contents) ?? second.range[0]);
    return failed(syntaxError(name, at, 'found a second document after ---, expected one document per file', hint));
  }
  // What follows a fault on the same nesting is mostly its echo: one token out of place after the other.
  const faults = [...yaml.errors, ...yaml.warnings]
    .filter((fault, index) => index === 0 || fault.code !== 'UNEXPECTED_TOKEN')
    .map((fault) =>
      syntaxError(name, place(fault.pos[0]), describeFault(fault.code, fault.message), hintFor(fault.code)),
    );
  if (faults.length > 0) return { document: null, errors: faults };
  return readTree(name, yaml, place);
}

function readTree(name: string, yaml: Document.Parsed, place: (offset: number) => Place): ReadDocument {
  const errors = checkTree(name, yaml, place);
  if (errors.some((error) => error.fatal)) return { document: null, errors: errors.map((error) => error.problem) };
  let value: unknown;
  try {
    // Through JSON, so that two aliases of one anchor are two values.
    value = JSON.parse(JSON.stringify(yaml.toJS({ maxAliasCount: MAX_ALIASES })));
  } catch {
    return failed(
      syntaxError(
        name,
        { line: 1, column: 1 },
        `its aliases expand to more than ${MAX_ALIASES} values or without end`,
        '',
      ),
    );
  }
  const pairs: PairIndex = new Map();
  const locate = (path: Path, part: 'key' | 'value'): SourcePosition => ({
    file: name,
    ...place(offsetOf(yaml, pairs, path, part)),
  });
  return { document: { name, value, locate }, errors: errors.map((error) => error.problem) };
}

interface Place {
  readonly line: number;
  readonly column: number;
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

type Tokens = { readonly ok: true; readonly value: CST.Token[] } | { readonly ok: false; readonly offset: number };

/** The parser keeps its own stack, so nesting is measured here, before the composer recurses. */
function tokenize(text: string, lines: LineCounter): Tokens {
  // The parser counts lines only when it drives the lexer itself.
  for (let at = 0; at !== -1 && at < text.length; ) {
    lines.addNewLine(at);
    const end = text.indexOf('\n', at);
    at = end === -1 ? -1 : end + 1;
  }
  const parser = new Parser();
  const value: CST.Token[] = [];
  for (const lexeme of lex(text)) {
    for (const token of parser.next(lexeme)) value.push(token);
    if (parser.stack.length > MAX_NESTING) return { ok: false, offset: parser.offset };
  }
  value.push(...parser.end());
  return { ok: true, value };
}

interface TreeFault {
  readonly problem: ConfigError;
  /** The value would not mean what the text says. */
  readonly fatal: boolean;
}

/** What YAML permits and a configuration cannot mean: a key twice, a key that is no name, an alias of nothing. */
function checkTree(name: string, yaml: Document.Parsed, place: (offset: number) => Place): readonly TreeFault[] {
  const faults: TreeFault[] = [];
  const report = (node: unknown, path: Path, message: string, hint: string, fatal: boolean) => {
    const where = place(startOf(node) ?? 0);
    faults.push({
      problem: { file: name, ...where, path: formatPath(path), message, hint, severity: 'error' },
      fatal,
    });
  };
  const visit = (node: unknown, path: Path): void => {
    if (isAlias(node) && node.resolve(yaml) === undefined) {
      const hint = `put it in quotes if it is meant as text: "*${node.source}"`;
      report(node, path, `found *${node.source}, but no value is marked &${node.source}`, hint, true);
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => visit(item, [...path, index]));
    } else if (isMap(node)) {
      const seen = new Map<string, unknown>();
      for (const { key, value } of node.items) {
        const text = keyText(key);
        if (text === null) report(key, path, 'found a key that is not a plain name', '', true);
        else if (seen.has(text)) {
          const first = place(startOf(seen.get(text)) ?? 0);
          const hint = `it is on line ${first.line} already: remove one`;
          report(key, [...path, text], `the key ${quote(text)} is here twice`, hint, false);
        } else seen.set(text, key);
        if (text !== null) visit(value, [...path, text]);
      }
    }
  };
  visit(yaml.contents, []);
  return faults;
}

/** Offset of the value or key at a path; of the nearest place above where the path leads nowhere. */
function offsetOf(yaml: Document.Parsed, pairs: PairIndex, path: Path, part: 'key' | 'value'): number {
  let node: unknown = yaml.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(yaml);
    const pair = isMap(node) ? findPair(pairs, node, step) : undefined;
    if (pair !== undefined) {
      const wantsKey = part === 'key' && index === path.length - 1;
      node = pair.value;
      offset = (wantsKey || isEmpty(node) ? null : startOf(node)) ?? startOf(pair.key) ?? offset;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

/** Filled as mappings are asked about: a file of many services is asked about each of them. */
type PairIndex = Map<YAMLMap, ReadonlyMap<string | null, Pair>>;

function findPair(pairs: PairIndex, map: YAMLMap, step: string | number): Pair | undefined {
  // Of a key that is there twice the last one, as in the value.
  const index = pairs.get(map) ?? new Map(map.items.map((pair) => [keyText(pair.key), pair]));
  pairs.set(map, index);
  return index.get(String(step));
}

function keyText(key: unknown): string | null {
  if (!isScalar(key)) return null;
  const { value } = key;
  if (value === null) return '';
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** A key without a value stands at the key: the parser puts the missing value somewhere after it. */
function isEmpty(node: unknown): boolean {
  return isScalar(node) && node.value === null && (node.source ?? '') === '';
}

function startOf(node: unknown): number | undefined {
  // `range` is on every parsed node; the union of node types does not say so.
  return (node as Node | ParsedNode | null | undefined)?.range?.[0];
}

function describeFault(code: string, message: string): string {
  if (code === 'TAG_RESOLVE_FAILED') return `found a tag, expected a plain value: ${message}`;
  if (code === 'TAB_AS_INDENT') return 'found a tab as indentation, expected spaces';
  return `not valid YAML: ${message.replaceAll(/\s+/g, ' ')}`;
}

function hintFor(code: string): string {
  if (code === 'BAD_INDENT') return 'is every { and [ before it closed?';
  if (code === 'BLOCK_AS_IMPLICIT_KEY') return 'put quotes around a value that has ": " in it';
  return '';
}

function syntaxError(file: string, place: Place, message: string, hint: string): ConfigError {
  return { file, line: place.line, column: place.column, path: '', message, hint, severity: 'error' };
}

function failed(problem: ConfigError): ReadDocument {
  return { document: null, errors: [problem] };
}

// `${VAR:-default}` in a compose file → text, as Compose does it.
// Source: docs.docker.com/reference/compose-file/interpolation.

export interface Interpolated {
  readonly text: string;
  /** Variables that nobody sets and that have no default: Compose takes them for empty. */
  readonly missing: readonly string[];
}

export type Variables = ReadonlyMap<string, string>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;
const OPERATOR = /^(:-|-|:\?|\?|:\+|\+)/;
/** Levels of `${A:-${B:-…}}`. */
const MAX_NESTING = 16;

export function interpolate(text: string, variables: Variables, nesting = 0): Interpolated {
  let result = '';
  const missing: string[] = [];
  for (let at = 0; at < text.length; ) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return { text: result + text.slice(at), missing };
    result += text.slice(at, dollar);
    const part = partAt(text, dollar, variables, nesting);
    result += part.text;
    missing.push(...part.missing);
    at = dollar + part.length;
  }
  return { text: result, missing };
}

interface Part extends Interpolated {
  /** Of the text that it stands for. */
  readonly length: number;
}

function partAt(text: string, dollar: number, variables: Variables, nesting: number): Part {
  const rest = text.slice(dollar + 1);
  if (rest.startsWith('$')) return { text: '$', missing: [], length: 2 };
  const bare = NAME.exec(rest)?.[0];
  if (bare !== undefined) return { ...plain(bare, variables), length: 1 + bare.length };
  const end = rest.startsWith('{') ? closingBrace(rest) : -1;
  const inner = end < 0 ? '' : rest.slice(1, end);
  const name = NAME.exec(inner)?.[0];
  // Compose calls it an error; here the text is only looked at.
  if (name === undefined) return { text: '$', missing: [], length: 1 };
  const operator = OPERATOR.exec(inner.slice(name.length))?.[0] ?? '';
  const word = inner.slice(name.length + operator.length);
  return { ...expand(name, operator, word, variables, nesting), length: 2 + end };
}

function expand(name: string, operator: string, word: string, variables: Variables, nesting: number): Interpolated {
  if (operator === '' || operator.endsWith('?')) return plain(name, variables);
  const value = variables.get(name);
  const there = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
  if (there !== operator.endsWith('+')) return { text: there ? (value ?? '') : '', missing: [] };
  return nesting < MAX_NESTING ? interpolate(word, variables, nesting + 1) : { text: '', missing: [] };
}

function plain(name: string, variables: Variables): Interpolated {
  const value = variables.get(name);
  return value === undefined ? { text: '', missing: [name] } : { text: value, missing: [] };
}

function closingBrace(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  return -1;
}

/** `.env` and `env_file`: `NAME=value` lines, quotes taken off, `export ` and comments understood. */
export function parseEnvFile(text: string): readonly (readonly [string, string])[] {
  const entries: [string, string][] = [];
  for (const line of text.split(/\r?\n/)) {
    const found = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*(.*)$/.exec(line);
    if (found?.[1] !== undefined) entries.push([found[1], unquote(found[2] ?? '')]);
  }
  return entries;
}

function unquote(text: string): string {
  const quoted = /^(["'])(.*?)\1\s*(?:#.*)?$/.exec(text);
  return quoted === null ? text.replace(/\s+#.*$/, '').trim() : (quoted[2] ?? '');
}

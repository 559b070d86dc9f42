// `${VAR:-default}` in a compose file → text, as Compose does it.
// Source: docs.docker.com/reference/compose-file/interpolation.

export type Variables = ReadonlyMap<string, string>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;
const OPERATOR = /^(:-|-|:\?|\?|:\+|\+)/;
/** Levels of `${A:-${B:-…}}`. */
const MAX_NESTING = 16;

/** A variable that nobody sets is empty, as Compose takes it; what is no variable stays as it is. */
export function interpolate(text: string, variables: Variables, nesting = 0): string {
  let result = '';
  for (let at = 0; at < text.length; ) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return result + text.slice(at);
    const part = partAt(text, dollar, variables, nesting);
    result += text.slice(at, dollar) + part.text;
    at = dollar + part.length;
  }
  return result;
}

interface Part {
  readonly text: string;
  /** Of what it stands for. */
  readonly length: number;
}

function partAt(text: string, dollar: number, variables: Variables, nesting: number): Part {
  const rest = text.slice(dollar + 1);
  if (rest.startsWith('$')) return { text: '$', length: 2 };
  const bare = NAME.exec(rest)?.[0];
  if (bare !== undefined) return { text: variables.get(bare) ?? '', length: 1 + bare.length };
  if (!rest.startsWith('{')) return { text: '$', length: 1 };
  const end = closingBrace(rest);
  const inner = rest.slice(1, end);
  const name = NAME.exec(inner)?.[0];
  // Compose calls it an error; here the text is only looked at.
  if (end < 0 || name === undefined) {
    const length = end < 0 ? rest.length + 1 : end + 2;
    return { text: text.slice(dollar, dollar + length), length };
  }
  const operator = OPERATOR.exec(inner.slice(name.length))?.[0] ?? '';
  const word = inner.slice(name.length + operator.length);
  return { text: expand(variables.get(name), operator, word, variables, nesting), length: 2 + end };
}

function expand(
  value: string | undefined,
  operator: string,
  word: string,
  variables: Variables,
  nesting: number,
): string {
  if (operator === '' || operator.endsWith('?')) return value ?? '';
  const there = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
  if (there !== operator.endsWith('+')) return there ? (value ?? '') : '';
  return nesting < MAX_NESTING ? interpolate(word, variables, nesting + 1) : '';
}

function closingBrace(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  return -1;
}

/** A longer one is a certificate or the like: no address. */
const MAX_LINE = 8192;

/** `.env` and `env_file`: `NAME=value` lines, quotes taken off, `export ` and comments understood. */
export function parseEnvFile(text: string): readonly (readonly [string, string])[] {
  const entries: [string, string][] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.length > MAX_LINE) continue;
    const found = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*(.*)$/.exec(line);
    if (found?.[1] !== undefined) entries.push([found[1], unquote(found[2] ?? '')]);
  }
  return entries;
}

function unquote(text: string): string {
  const quoted = /^(["'])(.*?)\1\s*(?:#.*)?$/.exec(text);
  return quoted === null ? text.replace(/\s+#.*$/, '').trim() : (quoted[2] ?? '');
}

// What is wrong with a configuration, as a value: where it stands, what was found, what was expected.
// Every step of core/config reports through this; nothing there throws for what a user wrote.

export interface ConfigError {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** Config path, such as `services.orders.calls[0]`; '' is the whole file. */
  readonly path: string;
  /** What was found and what was expected, one line. */
  readonly message: string;
  /** The nearest right name, or what to do; '' where there is nothing to say. */
  readonly hint: string;
  readonly severity: 'error' | 'warning';
}

/** Steps from the top of a file to a value: keys and list positions. */
export type Path = readonly (string | number)[];

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const LONGEST_QUOTE = 60;

/** `services.orders.calls[0]`; a key that is not a plain name is quoted: `headers["x.y"]`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!PLAIN_KEY.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** The path with the names of services, edges and versions and all list positions replaced by `*`. */
export function patternOf(path: Path): string {
  const named = path[0] === 'services' || path[0] === 'edges';
  let text = '';
  path.forEach((step, index) => {
    if (typeof step === 'number') text += '[*]';
    else if (named && (index === 1 || (index === 3 && path[2] === 'versions'))) text += '.*';
    else text += text === '' ? step : `.${step}`;
  });
  return text;
}

/** A value as an error message names it: short, on one line, and never mistaken for the text around it. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
  return quote(value);
}

/** JSON form of a scalar, cut where it is long. */
export function quote(value: unknown): string {
  if (typeof value !== 'string') return String(value).slice(0, LONGEST_QUOTE);
  return JSON.stringify(value.length <= LONGEST_QUOTE ? value : `${value.slice(0, LONGEST_QUOTE)}…`);
}

/** By file in the order given, then by position. */
export function sortProblems(problems: readonly ConfigError[], files: readonly string[]): readonly ConfigError[] {
  const order = new Map(files.map((file, index) => [file, index]));
  return problems.toSorted(
    (a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line || a.column - b.column,
  );
}

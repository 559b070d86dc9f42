// Plain value → value of the schema's shape: every misfit becomes one error at its place, and what does
// not fit is cut out, so that the steps after this one still check the rest of the file.
import { Ajv, type ErrorObject } from 'ajv';
import type { ConfigDocument } from './document.ts';
import { misplacedHint } from './misplaced.ts';
import { suggestName } from './nearest.ts';
import { describeValue, formatPath, quote, type ConfigError, type Path } from './problem.ts';
import { NAME_EXPECTED } from './schema-parts.ts';
import { CONFIG_SCHEMA, type ConfigFile } from './schema.ts';
import { isUnbuiltValue, unbuiltKeys } from './unbuilt.ts';

export interface ShapedFile {
  readonly document: ConfigDocument;
  /** Fits the schema, but for holes in lists where an item was cut out. */
  readonly value: ConfigFile;
  /** Paths of what was cut out, to three steps: what follows from a gap is no second error. */
  readonly damaged: ReadonlySet<string>;
  /** The services that the text names, whatever is left of them. */
  readonly declared: readonly string[];
}

export interface ShapeResult {
  readonly file: ShapedFile | null;
  readonly errors: readonly ConfigError[];
}

export type ShapeChecker = (document: ConfigDocument) => ShapeResult;

const ERRORS_PER_FILE = 100;
/** Each round cuts one level of nesting away at most. */
const CUT_ROUNDS = 12;

/** Compiling the schema takes some 20 ms: make one checker for many files. */
export function createShapeChecker(): ShapeChecker {
  const validate = new Ajv({ allErrors: true, verbose: true }).compile(CONFIG_SCHEMA);
  const misfitsOf = (value: unknown): readonly Misfit[] => {
    validate(value);
    return relevant(validate.errors ?? []).map((error) => toMisfit(error, value));
  };
  return (document) => {
    const value: unknown = JSON.parse(JSON.stringify(document.value));
    const misfits = misfitsOf(value);
    const errors = misfits.slice(0, ERRORS_PER_FILE).map((misfit) => toProblem(document, misfit));
    const damaged = new Set<string>();
    let open = misfits;
    for (let round = 0; open.length > 0 && round < CUT_ROUNDS; round++) {
      for (const misfit of open) {
        if (misfit.cut.length === 0) return { file: null, errors };
        damaged.add(formatPath(misfit.cut.slice(0, 3)));
        cutOut(value, misfit.cut);
      }
      open = misfitsOf(value);
    }
    if (open.length > 0) return { file: null, errors };
    // The validator has just said so.
    const declared = Object.keys(childOf(document.value, 'services') ?? {});
    return { file: { document, value: value as ConfigFile, damaged, declared }, errors };
  };
}

interface Misfit {
  readonly path: Path;
  readonly part: 'key' | 'value';
  /** What must go for the rest to fit. */
  readonly cut: Path;
  readonly message: string;
  readonly hint: string;
}

/**
 * Of a value that may have several shapes, only the errors of the shape that it has: the alternatives
 * of this schema differ by JSON type. And one error per place.
 */
function relevant(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const unions = Map.groupBy(
    errors.filter((error) => error.keyword === 'anyOf'),
    (error) => error.instancePath,
  );
  const seen = new Set<string>();
  return errors.filter((error) => {
    // A hole that was cut is not a second fault.
    if (error.data === undefined) return false;
    const union = unionAround(error, unions);
    const keep = union === undefined ? !hasFittingBranch(error) : isOfFittingBranch(error, union);
    const extra = error.keyword === 'additionalProperties' || error.keyword === 'required';
    const place = `${error.instancePath} ${extra ? JSON.stringify(error.params) : ''}`;
    if (!keep || seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}

/** The alternatives that this error lies in. By both paths: the items of a list share one schema path. */
function unionAround(error: ErrorObject, unions: ReadonlyMap<string, readonly ErrorObject[]>): ErrorObject | undefined {
  for (let place = error.instancePath; ; place = place.slice(0, place.lastIndexOf('/'))) {
    const around = unions.get(place)?.find((union) => error.schemaPath.startsWith(`${union.schemaPath}/`));
    if (around !== undefined || place === '') return around;
  }
}

/** Whether one alternative has the JSON type of the value and says better what is wrong. */
function hasFittingBranch(error: ErrorObject): boolean {
  if (error.keyword !== 'anyOf') return false;
  return branchesOf(error).some((branch) => fits(branch, error.data) && branch['type'] !== 'string');
}

function isOfFittingBranch(error: ErrorObject, union: ErrorObject): boolean {
  if (!hasFittingBranch(union)) return false;
  const index = Number(error.schemaPath.slice(union.schemaPath.length + 1).split('/')[0]);
  const branch = branchesOf(union)[index];
  return branch !== undefined && fits(branch, union.data);
}

function branchesOf(union: ErrorObject): readonly Record<string, unknown>[] {
  // `schema` is the value of the keyword, here the list of alternatives.
  return Array.isArray(union.schema) ? (union.schema as Record<string, unknown>[]) : [];
}

function fits(branch: Record<string, unknown>, value: unknown): boolean {
  if (branch['type'] === 'array') return Array.isArray(value);
  if (branch['type'] === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return branch['type'] === typeof value;
}

function toMisfit(error: ErrorObject, root: unknown): Misfit {
  const path = pathOf(error.instancePath, root);
  const schema = (error.parentSchema ?? {}) as SchemaNode;
  if (error.keyword === 'additionalProperties')
    return extraKey(path, String(error.params['additionalProperty']), schema);
  if (error.keyword === 'required') return missingKey(path, String(error.params['missingProperty']), schema);
  return wrongValue(path, error.data, schema, error.keyword);
}

interface SchemaNode {
  readonly type?: string;
  readonly title?: string;
  readonly enum?: readonly unknown[];
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly maxProperties?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

function extraKey(path: Path, key: string, schema: SchemaNode): Misfit {
  const at = { path: [...path, key], part: 'key', cut: [...path, key] } as const;
  if (schema.properties === undefined) {
    const hint =
      /^[a-z0-9-]+$/.test(fixName(key)) && fixName(key).length < 64 ? `for example ${quote(fixName(key))}` : '';
    return { ...at, message: `found ${quote(key)}, expected ${NAME_EXPECTED}`, hint };
  }
  if (unbuiltKeys(path).includes(key))
    return { ...at, message: `${quote(key)} is not built yet in this version of Weft`, hint: 'leave it out' };
  const known = Object.keys(schema.properties);
  const elsewhere = misplacedHint(path, key);
  const hint =
    elsewhere || suggestName(key, known) || (key === '<<' ? 'merge keys are not supported: repeat the keys' : '');
  const near = suggestName(key, unbuiltKeys(path));
  return {
    ...at,
    message: `unknown key ${quote(key)}, expected ${listOf(known)}`,
    hint: hint || (near === '' ? '' : `${near} That is not built yet in this version of Weft`),
  };
}

function missingKey(path: Path, key: string, schema: SchemaNode): Misfit {
  const expected = schema.properties?.[key]?.title;
  const message = `the key ${quote(key)} is missing${expected === undefined ? '' : `, expected ${expected}`}`;
  // A file without its version is read on, so that one run shows all that is wrong.
  return {
    path,
    part: 'key',
    cut: path.length === 0 ? ['version'] : path,
    message,
    hint: key === 'version' ? 'write version: 1 at the top' : '',
  };
}

function wrongValue(path: Path, data: unknown, schema: SchemaNode, keyword: string): Misfit {
  const at = { path, part: 'value', cut: path } as const;
  if (isUnbuiltValue(path, data)) {
    const what = typeof data === 'object' ? `a mapping for ${path.at(-1)}` : `${path.at(-1)}: ${quote(data)}`;
    return {
      ...at,
      message: `${what} is not built yet in this version of Weft, expected ${schema.title ?? 'another value'}`,
      hint: '',
    };
  }
  const expected = boundOf(keyword, schema) ?? schema.title ?? `a ${schema.type ?? 'different value'}`;
  return { ...at, message: `found ${describeValue(data)}, expected ${expected}`, hint: hintFor(data, schema) };
}

/** null: what is wrong is not how many there are. */
function boundOf(keyword: string, schema: SchemaNode): string | null {
  if (keyword === 'maxItems') return `at most ${schema.maxItems} items`;
  if (keyword === 'maxProperties') return `at most ${schema.maxProperties} keys`;
  return keyword === 'maxLength' ? `at most ${schema.maxLength} characters` : null;
}

function hintFor(data: unknown, schema: SchemaNode): string {
  if (schema.title?.startsWith('a duration') && typeof data === 'number' && data > 0)
    return `write ${data}${data < 100 ? 's' : 'ms'}`;
  if (schema.type === 'string' && (typeof data === 'number' || typeof data === 'boolean'))
    return `put it in quotes: "${data}"`;
  if (schema.type === 'array' && typeof data === 'string') return `write [${data}]`;
  const isNumber = schema.type === 'integer' || schema.type === 'number';
  if (isNumber && typeof data === 'string' && /^\d+$/.test(data)) return `without quotes: ${data}`;
  if (schema.enum !== undefined && typeof data === 'string') return suggestName(data, schema.enum.map(String));
  return '';
}

function listOf(names: readonly string[]): string {
  return names.length === 1 ? `only ${names[0]}` : `one of ${names.join(', ')}`;
}

/** The nearest name that would do: `Orders_API` → `orders-api`. */
function fixName(key: string): string {
  return key
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}

/** JSON Pointer (RFC 6901) → path; the value tells list positions from keys that look like numbers. */
function pathOf(pointer: string, root: unknown): Path {
  const path: (string | number)[] = [];
  let value = root;
  for (const raw of pointer.split('/').slice(1)) {
    const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = childOf(value, key);
  }
  return path;
}

function childOf(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined;
}

/** A list keeps the place as a hole: the positions of its other items are their rule ids. */
function cutOut(root: unknown, path: Path): void {
  const parent = path.slice(0, -1).reduce<unknown>((value, step) => childOf(value, step), root);
  const last = path.at(-1);
  if (typeof parent !== 'object' || parent === null || last === undefined) return;
  if (path.length === 1 && last === 'version') Object.assign(parent, { version: 1 });
  else delete (parent as Record<string | number, unknown>)[last];
}

function toProblem(document: ConfigDocument, misfit: Misfit): ConfigError {
  return {
    ...document.locate(misfit.path, misfit.part),
    path: formatPath(misfit.path),
    message: misfit.message,
    hint: misfit.hint,
    severity: 'error',
  };
}

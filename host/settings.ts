// Settings of a program: each declared once with its flag, its variable, its default and its meaning, and read from
// flags, then the environment, then a file; the first that names it wins.
import { nearestName } from '../core/config/nearest.ts';
import { MeshError } from '../core/kit/error.ts';
import type { HostPort } from '../core/model/mesh.ts';
import { readTextBounded } from './files.ts';
import { formatAddress, formatDuration, type Read } from './setting-kinds.ts';

/** One setting. The key in its Declarations names it in code and in a settings file. */
export interface Setting<T> {
  /** Without the dashes: `control-plane`. */
  readonly flag: string;
  /** `WEFT_CONTROL_PLANE`. With `_FILE` at its end, and a flag with `-file`, the value is a file's content. */
  readonly env: string;
  readonly read: Read<T>;
  /** What it is where nobody sets it. */
  readonly fallback: T;
  /** What the value looks like, for `--help`; '' for a switch that stands alone. */
  readonly shape: string;
  readonly doc: string;
  /** Never shown, and may be given by file. */
  readonly secret?: boolean;
  /** A flag that may come several times; its values are joined by commas. */
  readonly many?: boolean;
}

export type Declarations = Readonly<Record<string, Setting<unknown>>>;

export type SettingsOf<D extends Declarations> = {
  readonly [K in keyof D]: D[K] extends Setting<infer T> ? T : never;
};

export interface ReadSettings<D extends Declarations> {
  readonly settings: SettingsOf<D>;
  /** Words that are no flags, in order: the role, file names. */
  readonly words: readonly string[];
  /** What stands after `--`; null where there is none. */
  readonly command: readonly string[] | null;
}

/** Lets `fallback` widen to the type that `read` gives. */
export function setting<T>(declaration: Setting<T>): Setting<T> {
  return declaration;
}

/**
 * Reads flags > environment > `--settings FILE` (YAML or JSON) > defaults. Empty variables count as not set.
 * Throws MeshError `usage` with a hint for an unknown flag and for a wrong value.
 */
export async function readSettings<D extends Declarations>(
  declarations: D,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ReadSettings<D>> {
  const line = parseFlags(declarations, argv);
  const file = line.settingsFile ?? env['WEFT_SETTINGS'] ?? '';
  const fromFile = file === '' ? new Map<string, string>() : await readSettingsFile(declarations, file);
  const settings: Record<string, unknown> = {};
  for (const [key, declared] of Object.entries(declarations)) {
    const given =
      (await pick(line.flags, `--${declared.flag}`, declared.flag, '-file')) ??
      (await pick(environment(env), declared.env, declared.env, '_FILE')) ??
      (await pick(fromFile, `${key} in ${file}`, key, 'File'));
    settings[key] = given === null ? declared.fallback : readValue(declared, given);
  }
  // Every key of the declarations was filled by its own reader or fallback.
  return { settings: settings as SettingsOf<D>, words: line.words, command: line.command };
}

interface Given {
  /** How the user wrote it, for errors. */
  readonly source: string;
  readonly text: string;
}

async function pick(
  values: ReadonlyMap<string, string>,
  source: string,
  name: string,
  suffix: string,
): Promise<Given | null> {
  const text = values.get(name);
  if (text !== undefined) return { source, text };
  const path = values.get(name + suffix);
  return path === undefined ? null : { source: `${source} (file)`, text: (await readTextBounded(path, 65_536)).trim() };
}

function environment(env: NodeJS.ProcessEnv): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) if (value !== undefined && value !== '') values.set(name, value);
  return values;
}

function readValue(declared: Setting<unknown>, given: Given): unknown {
  const value = declared.read(given.text);
  if (value.ok) return value.value;
  const found = declared.secret ? '' : ` but found '${given.text}'`;
  throw new MeshError('usage', {
    detail: `${given.source} needs ${value.error}${found}`,
    hint: declared.doc,
  });
}

interface CommandLine {
  readonly flags: ReadonlyMap<string, string>;
  readonly words: readonly string[];
  readonly command: readonly string[] | null;
  readonly settingsFile: string | null;
}

function parseFlags(declarations: Declarations, argv: readonly string[]): CommandLine {
  const byFlag = new Map<string, Setting<unknown>>();
  for (const declared of Object.values(declarations)) {
    byFlag.set(declared.flag, declared);
    if (declared.secret) byFlag.set(`${declared.flag}-file`, declared);
  }
  const flags = new Map<string, string>();
  const words: string[] = [];
  let settingsFile: string | null = null;
  for (let i = 0; i < argv.length; i += 1) {
    const word = argv[i] as string;
    if (word === '--') return { flags, words, command: argv.slice(i + 1), settingsFile };
    if (!word.startsWith('-') || word === '-') {
      words.push(word);
      continue;
    }
    const [name, inline] = splitFlag(word);
    const declared = byFlag.get(name);
    if (declared === undefined && name !== 'settings') throw unknownFlag(name, [...byFlag.keys(), 'settings']);
    const following = argv[i + 1];
    const alone = declared?.shape === '' && !/^(on|off|true|false|yes|no|[01])$/.test(following ?? '');
    const value = inline ?? (alone ? 'on' : following);
    if (value === undefined || (inline === undefined && !alone && value.startsWith('--'))) {
      throw new MeshError('usage', { detail: `--${name} needs a value`, hint: declared?.doc ?? 'the name of a file' });
    }
    if (inline === undefined && !alone) i += 1;
    if (declared === undefined) settingsFile = value;
    else flags.set(name, declared.many && flags.has(name) ? `${flags.get(name)},${value}` : value);
  }
  return { flags, words, command: null, settingsFile };
}

function splitFlag(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  const name = (at < 0 ? word : word.slice(0, at)).replace(/^--?/, '');
  return [name, at < 0 ? undefined : word.slice(at + 1)];
}

function unknownFlag(name: string, known: readonly string[]): MeshError {
  const near = nearestName(name, known);
  return new MeshError('usage', {
    detail: `unknown option --${name}`,
    hint: near === null ? 'see --help' : `did you mean --${near}?`,
  });
}

async function readSettingsFile(declarations: Declarations, path: string): Promise<Map<string, string>> {
  const content = await readTextBounded(path, 1024 * 1024);
  const parsed = path.endsWith('.json') ? parseJson(path, content) : await parseYaml(path, content);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new MeshError('usage', { detail: `${path} must hold settings as keys and values` });
  }
  const known = Object.entries(declarations).flatMap(([key, { secret }]) => (secret ? [key, `${key}File`] : [key]));
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(parsed)) {
    if (!known.includes(key)) {
      const near = nearestName(key, known);
      throw new MeshError('usage', {
        detail: `${path}: unknown setting ${key}`,
        hint: near === null ? `known: ${known.join(', ')}` : `did you mean ${near}?`,
      });
    }
    values.set(key, settingText(value));
  }
  return values;
}

// A file may write lists and maps as such; a reader sees the text that a flag would have had.
function settingText(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(',');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([key, item]) => `${key}=${String(item)}`)
      .join(',');
  }
  return String(value);
}

function parseJson(path: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw new MeshError('usage', { detail: `${path} is not valid JSON`, cause });
  }
}

async function parseYaml(path: string, content: string): Promise<unknown> {
  // Lazily: a proxy without a settings file never loads a YAML parser.
  const { parse } = await import('yaml');
  try {
    return parse(content);
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : '';
    throw new MeshError('usage', { detail: `${path} is not valid YAML: ${message}`, cause });
  }
}

/** The options of a program, one per line, for `--help`. */
export function settingsHelp(declarations: Declarations): string {
  const rows = Object.values(declarations).map(({ flag, shape, env, doc, fallback, secret }) => [
    `--${flag}${shape === '' ? '' : ` ${shape}`}${secret ? `, --${flag}-file FILE` : ''}`,
    `${doc}${doc.includes('default') ? '' : defaultOf(fallback, shape)} [${env}]`,
  ]);
  rows.push(['--settings FILE', 'more settings, YAML or JSON [WEFT_SETTINGS]'], ['-h, --help', 'show this help']);
  const width = Math.max(...rows.map(([left]) => (left ?? '').length));
  return rows.map(([left, right]) => `  ${(left ?? '').padEnd(width)}  ${right}`).join('\n');
}

/** '' where nothing stands for it unless it is given. */
function defaultOf(fallback: unknown, shape: string): string {
  const shown = isAddress(fallback)
    ? formatAddress(fallback)
    : isAddresses(fallback)
      ? fallback.map(formatAddress).join()
      : fallback;
  if (typeof shown === 'number') return `; default: ${shape === 'TIME' ? formatDuration(shown) : shown}`;
  return typeof shown === 'string' && shown !== '' ? `; default: ${shown}` : '';
}

function isAddresses(value: unknown): value is readonly HostPort[] {
  return Array.isArray(value) && value.every(isAddress);
}

function isAddress(value: unknown): value is HostPort {
  return typeof value === 'object' && value !== null && 'host' in value && 'port' in value;
}

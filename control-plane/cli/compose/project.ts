// A compose file's value → its services, as far as `weft compose` needs to know them. What is not looked at stays in
// `raw` and goes where it went before.
import { interpolate, type Variables } from './interpolate.ts';
import { portsOf, readPort, type PortEntry } from './ports.ts';
import { entriesOf, isMapping, listOf, textOf, type ComposeSource, type Mapping, type Path } from './source.ts';

export interface ComposeProject {
  readonly source: ComposeSource;
  readonly name: string;
  readonly services: readonly ComposeService[];
  /** Names of the top-level networks and volumes. */
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  /** Files of a top-level `include`, as written. */
  readonly includes: readonly string[];
}

export interface ComposeService {
  readonly name: string;
  readonly image: string | null;
  readonly environment: readonly EnvEntry[];
  readonly ports: readonly PortEntry[];
  readonly expose: readonly number[];
  readonly dependsOn: readonly string[];
  /** Network → its attachment; the default network where the file names none. */
  readonly networks: ReadonlyMap<string, Mapping>;
  /** Further names under which others reach it: aliases, container_name. */
  readonly aliases: readonly string[];
  /** `db:database` → [db, database]. */
  readonly links: readonly (readonly [string, string])[];
  readonly networkMode: string | null;
  /** Words of command, entrypoint and health check, variables filled in. */
  readonly words: string;
  readonly healthWords: string;
  /** deploy.replicas or scale. */
  readonly replicas: number;
  readonly raw: Mapping;
  readonly line: number;
}

export interface EnvEntry {
  readonly name: string;
  /** Variables filled in. */
  readonly value: string;
  /** As written. */
  readonly raw: string;
  /** `docker-compose.yml:12` or the env file's name. */
  readonly place: string;
}

/** What the file system and the shell give: variables for `${…}`, the content of env files that are there. */
export interface Surroundings {
  readonly variables: Variables;
  /** Path as written → its entries. */
  readonly envFiles: ReadonlyMap<string, readonly (readonly [string, string])[]>;
  /** Name of the folder: Compose's name for a project that has none. */
  readonly folder: string;
}

export function readProject(source: ComposeSource, around: Surroundings): ComposeProject {
  const { value } = source;
  const name = interpolate(textOf(value['name']) ?? '', around.variables);
  return {
    source,
    name: name === '' ? around.folder : name,
    services: entriesOf(value['services']).map(([key, raw]) =>
      readService(source, key, isMapping(raw) ? raw : {}, around),
    ),
    networks: entriesOf(value['networks']).map(([key]) => key),
    volumes: entriesOf(value['volumes']).map(([key]) => key),
    includes: listOf(value['include']).map((entry) => pathOf(entry)),
  };
}

/** The env files that the services name, as written and filled in: whoever reads files looks for these. */
export function envFilesOf(source: ComposeSource, variables: Variables): readonly string[] {
  const files = entriesOf(source.value['services']).flatMap(([, raw]) =>
    isMapping(raw) ? envFilePaths(raw, variables) : [],
  );
  return [...new Set(files)];
}

function readService(source: ComposeSource, name: string, raw: Mapping, around: Surroundings): ComposeService {
  const path: Path = ['services', name];
  const fill = (text: string): string => interpolate(text, around.variables);
  const networks = readNetworks(raw);
  const container = textOf(raw['container_name']);
  const mode = textOf(raw['network_mode']);
  const image = textOf(raw['image']);
  return {
    name,
    image: image === null ? null : fill(image),
    environment: readEnvironment(source, path, raw, around),
    ports: listOf(raw['ports']).map((entry) => readPort(entry, around.variables)),
    expose: listOf(raw['expose'])
      .map((entry) => fill(textOf(entry) ?? ''))
      .flatMap((text) => (text.endsWith('/udp') ? [] : portsOf(text))),
    dependsOn: dependenciesOf(raw['depends_on']),
    networks,
    aliases: unique([
      ...[...networks.values()].flatMap((network) =>
        listOf(network['aliases']).flatMap((alias) => textOf(alias) ?? []),
      ),
      ...(container === null ? [] : [container]),
    ]).map(fill),
    links: listOf(raw['links']).flatMap((link) => {
      const [to = '', as = to] = (textOf(link) ?? '').split(':');
      return to === '' ? [] : [[to, as] as const];
    }),
    networkMode: mode === null ? null : fill(mode),
    words: fill([...wordsOf(raw['entrypoint']), ...wordsOf(raw['command'])].join(' ')),
    healthWords: fill(wordsOf(isMapping(raw['healthcheck']) ? raw['healthcheck']['test'] : null).join(' ')),
    replicas: replicasOf(raw, fill),
    raw,
    line: source.lineOf(path),
  };
}

function readNetworks(raw: Mapping): ReadonlyMap<string, Mapping> {
  const value = raw['networks'];
  if (Array.isArray(value)) return new Map(value.flatMap((name) => (typeof name === 'string' ? [[name, {}]] : [])));
  const entries = entriesOf(value).map(([name, network]) => [name, isMapping(network) ? network : {}] as const);
  return new Map(entries.length > 0 ? entries : [['default', {}]]);
}

function readEnvironment(source: ComposeSource, path: Path, raw: Mapping, around: Surroundings): readonly EnvEntry[] {
  const found = new Map<string, EnvEntry>();
  for (const file of envFilePaths(raw, around.variables)) {
    for (const [name, text] of around.envFiles.get(file) ?? []) {
      found.set(name, { name, raw: text, value: interpolate(text, around.variables), place: file });
    }
  }
  const value = raw['environment'];
  const pairs: (readonly [string, string | null, Path])[] = Array.isArray(value)
    ? value.map((entry, index) => [...splitPair(textOf(entry) ?? ''), [...path, 'environment', index]] as const)
    : entriesOf(value).map(([name, text]) => [name, textOf(text), [...path, 'environment', name]] as const);
  for (const [name, text, at] of pairs) {
    // Without a value it comes from the shell.
    const filled = text === null ? (around.variables.get(name) ?? '') : interpolate(text, around.variables);
    found.set(name, { name, raw: text ?? '', value: filled, place: `${source.name}:${source.lineOf(at)}` });
  }
  return [...found.values()];
}

function splitPair(text: string): readonly [string, string | null] {
  const at = text.indexOf('=');
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

function envFilePaths(raw: Mapping, variables: Variables): readonly string[] {
  const value = raw['env_file'];
  const entries = Array.isArray(value) ? value : [value];
  return entries.map((entry) => interpolate(pathOf(entry), variables)).filter((path) => path !== '');
}

/** `file` or `{ path: file }`; of an include with several, the first. */
function pathOf(entry: unknown): string {
  if (!isMapping(entry)) return textOf(entry) ?? '';
  return textOf(Array.isArray(entry['path']) ? entry['path'][0] : entry['path']) ?? '';
}

function dependenciesOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((entry) => textOf(entry) ?? []);
  return entriesOf(value).map(([name]) => name);
}

function wordsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.flatMap((word) => textOf(word) ?? []) : [textOf(value) ?? ''];
}

function replicasOf(raw: Mapping, fill: (text: string) => string): number {
  const deploy = raw['deploy'];
  const count = Number(fill(textOf(isMapping(deploy) ? deploy['replicas'] : null) ?? textOf(raw['scale']) ?? '1'));
  return Number.isInteger(count) && count >= 0 ? count : 1;
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

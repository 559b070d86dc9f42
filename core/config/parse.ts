// Text → Mesh, the first half of the configuration flow: read, check the shape, build the model, check
// what refers to what. All errors of all files come back at once, each with its place.
import { err, ok, type Result } from '../kit/result.ts';
import type { RuleId } from '../model/brand.ts';
import type { Edge, Mesh, Service, SourceMap, SourcePosition } from '../model/mesh.ts';
import type { Directory, EdgeEntry, Entry, ServiceEntry } from './directory.ts';
import { readDocument } from './document.ts';
import { readEdge } from './edges.ts';
import { formatPath, sortProblems, type ConfigError, type Path } from './problem.ts';
import { Reader } from './reader.ts';
import { checkReferences } from './references.ts';
import { DEFAULT_TRUST_DOMAIN, type ConfigFile } from './schema.ts';
import { readService } from './services.ts';
import { createShapeChecker, type ShapeChecker } from './shape.ts';
import { findWarnings } from './warnings.ts';

export interface ConfigText {
  /** As it shall stand in messages; usually a path. */
  readonly name: string;
  readonly text: string;
}

export interface ParsedConfig {
  readonly mesh: Mesh;
  readonly sources: SourceMap;
  readonly warnings: readonly ConfigError[];
}

export type ConfigParser = (files: readonly ConfigText[]) => Result<ParsedConfig, readonly ConfigError[]>;

/** Parses once. Who parses again and again keeps a parser: making one compiles the schema. */
export function parseConfig(files: readonly ConfigText[]): Result<ParsedConfig, readonly ConfigError[]> {
  return createConfigParser()(files);
}

/** Several files are one configuration: their services and edges are put together. */
export function createConfigParser(): ConfigParser {
  const checkShape = createShapeChecker();
  return (files) => {
    const problems: ConfigError[] = [];
    const sources = new Map<RuleId, SourcePosition>();
    const gathered = gather(files, checkShape, problems, sources);
    const mesh = build(gathered);
    const names = files.map((file) => file.name);
    if (files.length === 0) problems.push(nothingToRead());
    const errors = problems.filter((problem) => problem.severity === 'error');
    if (errors.length > 0) return err(sortProblems(errors, names));
    return ok({ mesh, sources, warnings: sortProblems([...problems, ...findWarnings(mesh, sources)], names) });
  };
}

interface Gathered {
  readonly complete: boolean;
  readonly mesh: NonNullable<ConfigFile['mesh']>;
  readonly services: ReadonlyMap<string, ServiceEntry>;
  readonly edges: ReadonlyMap<string, EdgeEntry>;
  /** Declared, but with nothing left of them. */
  readonly lost: ReadonlySet<string>;
}

function gather(
  files: readonly ConfigText[],
  checkShape: ShapeChecker,
  problems: ConfigError[],
  sources: Map<RuleId, SourcePosition>,
): Gathered {
  const services = new Map<string, ServiceEntry>();
  const edges = new Map<string, EdgeEntry>();
  const lost = new Set<string>();
  let complete = true;
  let mesh: { readonly reader: Reader; readonly file: NonNullable<ConfigFile['mesh']> } | null = null;
  for (const { name, text } of files) {
    const { document, errors } = readDocument(name, text);
    problems.push(...errors);
    const shape = document === null ? null : checkShape(document);
    if (shape !== null) problems.push(...shape.errors);
    const file = shape?.file ?? null;
    if (file === null) {
      complete = false;
      continue;
    }
    if (file.damaged.has('services') || file.damaged.has('edges')) complete = false;
    const reader = new Reader(file.document, problems, sources);
    if (file.value.mesh !== undefined) {
      if (file.value.mesh.trustDomain !== undefined) reader.rule(['mesh', 'trustDomain']);
      if (mesh === null) mesh = { reader, file: file.value.mesh };
      else reportTwice(reader, ['mesh'], mesh.reader);
    }
    add(services, reader, 'services', file.value.services ?? {}, file.damaged);
    add(edges, reader, 'edges', file.value.edges ?? {}, file.damaged);
    for (const key of file.declared) if (!services.has(key)) lost.add(key);
  }
  return { complete, mesh: mesh?.file ?? {}, services, edges, lost };
}

/** What says whether a service can be called, and in which versions. */
const DEFINING_KEYS = ['port', 'ports', 'endpoints', 'external', 'versions'];

function add<T>(
  into: Map<string, Entry<T>>,
  reader: Reader,
  section: string,
  values: Readonly<Record<string, T>>,
  damaged: ReadonlySet<string>,
): void {
  for (const [name, file] of Object.entries(values)) {
    const first = into.get(name);
    const sound = !DEFINING_KEYS.some((key) => damaged.has(formatPath([section, name, key])));
    if (first !== undefined) reportTwice(reader, [section, name], first.reader);
    else into.set(name, { name, reader, file, sound });
  }
}

function reportTwice(reader: Reader, path: Path, first: Reader): void {
  const { file, line, column } = first.document.locate(path, 'key');
  reader.error(path, `it is also in ${file}:${line}:${column}, expected it once`, 'remove one of the two', 'key');
}

function build(gathered: Gathered): Mesh {
  const services = new Map<string, Service>();
  const declared = new Map<string, Service | null>([...gathered.lost].map((name) => [name, null]));
  const unsound = new Set<string>(gathered.lost);
  // By name, so that the order of keys means nothing.
  const entries = [...gathered.services.values()].toSorted(byName);
  for (const entry of entries) {
    const service = readService(entry);
    declared.set(entry.name, service);
    if (service !== null) services.set(entry.name, service);
    if (!entry.sound) unsound.add(entry.name);
  }
  const directory: Directory = {
    complete: gathered.complete,
    services: declared,
    edges: new Set(gathered.edges.keys()),
    unsound,
  };
  for (const entry of entries) checkReferences(entry, directory);
  const edges = new Map<string, Edge>();
  for (const entry of [...gathered.edges.values()].toSorted(byName)) edges.set(entry.name, readEdge(entry, directory));
  return {
    trustDomain: gathered.mesh.trustDomain ?? DEFAULT_TRUST_DOMAIN,
    namespace: 'default',
    mtls: gathered.mesh.mtls ?? 'strict',
    egress: gathered.mesh.egress ?? 'deny',
    authorization: gathered.mesh.authorization ?? 'calls',
    services,
    edges,
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function nothingToRead(): ConfigError {
  return {
    file: '',
    line: 1,
    column: 1,
    path: '',
    message: 'found no file, expected at least one',
    hint: 'weft init writes a weft.yaml',
    severity: 'error',
  };
}

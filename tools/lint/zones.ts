// Who may import whom: the one table behind the linter's rule (tools/lint/plugin.ts) and the test that it bites.
// core ← host ← proto ← certs ← proxy, control-plane; in proxy/ a stage never imports another stage.

export interface Zone {
  /** Folder or file, from the repository's root. */
  readonly path: string;
  /** Folders and files of the repository that it may import. */
  readonly imports: readonly string[];
  /** Packages and built-ins: `any`, or these alone. A name ends in `*` for everything that begins so. */
  readonly packages: 'any' | readonly string[];
}

const GRPC = ['@grpc/grpc-js', '@grpc/proto-loader'];

/** Where gRPC may be touched; proto/ only loads its descriptor and has generated types. */
const GRPC_ZONES = ['control-plane/server', 'control-plane/xds', 'proxy/agent', 'proto/gen'];

/** Folders of proxy/ that are no stage. */
const JOINERS = ['proxy/mode'];
const STAGE_EXTRAS: Readonly<Record<string, readonly string[]>> = {
  'proxy/tls': ['certs/spiffe'],
  'proxy/agent': ['proto', 'certs', 'host'],
  'proxy/admin': ['host'],
};

const FIXED: readonly Zone[] = [
  { path: 'core/model', imports: ['core/model'], packages: [] },
  { path: 'core/kit', imports: ['core/model', 'core/kit'], packages: [] },
  { path: 'core/decide', imports: ['core/model', 'core/kit', 'core/decide'], packages: [] },
  { path: 'core/config', imports: ['core'], packages: ['yaml', 'ajv', 'ajv/*', 'typebox', 'typebox/*'] },
  { path: 'core', imports: ['core'], packages: [] },
  { path: 'host', imports: ['core', 'host'], packages: 'any' },
  { path: 'proto', imports: ['core', 'host', 'proto'], packages: 'any' },
  { path: 'certs', imports: ['core', 'host', 'proto', 'certs'], packages: 'any' },
  { path: 'control-plane', imports: ['core', 'host', 'proto', 'certs', 'control-plane'], packages: 'any' },
  { path: 'proxy/exchange.ts', imports: ['core', 'proxy/kit'], packages: 'any' },
  { path: 'proxy/kit', imports: ['core', 'proxy/kit'], packages: 'any' },
  { path: 'bin', imports: ['bin', 'dist', 'control-plane/cli'], packages: 'any' },
  { path: 'examples', imports: ['examples'], packages: ['node:*'] },
];

const JOINER: Omit<Zone, 'path'> = { imports: ['core', 'host', 'proto', 'certs', 'proxy'], packages: 'any' };

/** The zone of a file; null: it may import everything (test, bench, tools). */
export function zoneOf(file: string): Zone | null {
  const fixed = FIXED.find((zone) => isUnder(file, zone.path));
  if (fixed !== undefined) return fixed;
  if (!file.startsWith('proxy/')) return null;
  const stage = file.split('/').slice(0, 2).join('/');
  if (stage === file || JOINERS.includes(stage)) return { path: stage, ...JOINER };
  const imports = ['core', 'proxy/kit', 'proxy/exchange.ts', stage, ...(STAGE_EXTRAS[stage] ?? [])];
  return { path: stage, imports, packages: 'any' };
}

/** What is wrong with this import, or null. `target` is a file of the repository. */
export function judgeFile(file: string, target: string): string | null {
  const zone = zoneOf(file);
  if (zone === null || zone.imports.some((allowed) => isUnder(target, allowed))) return null;
  // For the version; it ships with the program.
  if (target === 'package.json' && zone.packages === 'any') return null;
  return `${zone.path} must not import ${target} (tools/lint/zones.ts)`;
}

/** What is wrong with importing this package or built-in, or null. */
export function judgePackage(file: string, specifier: string): string | null {
  const zone = zoneOf(file);
  if (zone === null) return null;
  if (specifier === 'node:module' || specifier === 'module') return 'createRequire would go around the boundaries';
  if (zone.packages !== 'any' && !zone.packages.some((allowed) => isNamed(specifier, allowed))) {
    return `${zone.path} must not import ${specifier} (tools/lint/zones.ts)`;
  }
  if (specifier === '@grpc/proto-loader' && isUnder(file, 'proto/codec')) return null;
  if (GRPC.some((name) => isNamed(specifier, name) || specifier.startsWith(`${name}/`))) {
    return GRPC_ZONES.some((path) => isUnder(file, path)) ? null : `${zone.path} must not touch gRPC`;
  }
  return null;
}

function isUnder(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}

function isNamed(specifier: string, allowed: string): boolean {
  return allowed.endsWith('*') ? specifier.startsWith(allowed.slice(0, -1)) : specifier === allowed;
}

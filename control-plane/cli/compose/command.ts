// `weft compose [FILE]`: reads somebody's compose file, writes weft.yaml and compose.weft.yml beside it, and says what
// it guessed and what it cannot carry over.
import { execFile } from 'node:child_process';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { MeshError } from '../../../core/kit/error.ts';
import { exists, readTextBounded, writeFileAtomic } from '../../../host/files.ts';
import { keepConfig } from './kept-config.ts';
import { parseEnvFile, type Variables } from './interpolate.ts';
import { overrideYaml } from './override.ts';
import { planProject, type Plan } from './plan.ts';
import { portsOf } from './ports.ts';
import { envFilesOf, readProject, type ComposeProject } from './project.ts';
import { carriesEverything, reportLines } from './report.ts';
import { readComposeSource, type ComposeSource } from './source.ts';
import { weftYaml } from './weft-yaml.ts';
import { oneLine } from './yaml-text.ts';
import { addedNames, MESH_NETWORK, OUTSIDE_NETWORK } from './workloads.ts';

export interface ComposeArgs {
  /** null: the one that Compose would take. */
  readonly file: string | null;
  readonly check: boolean;
  readonly force: boolean;
  readonly image: string;
  readonly podImage: string;
  /** Folder of the two files; null: beside the compose file. */
  readonly out: string | null;
  /** `NAME` or `NAME:PORT`: speaks HTTP. */
  readonly http: readonly string[];
  /** Services that stay outside. */
  readonly outside: readonly string[];
}

export interface ComposeSystem {
  readonly env: NodeJS.ProcessEnv;
  /** What `docker compose version --short` says; null: there is none. */
  composeVersion(): Promise<string | null>;
}

export const system: ComposeSystem = { env: process.env, composeVersion };

/** In the order in which Compose looks. */
const USUAL_FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
const CONFIG = 'weft.yaml';
/** As Compose has it. */
const SERVICE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/;
/** Every pod has a line for every service. */
const MOST_SERVICES = 500;
const OVERRIDE = 'compose.weft.yml';

/** Exit code: 1 where nothing could be written, and by --check where something is not carried over. Throws MeshError. */
export async function runCompose(
  args: ComposeArgs,
  host: ComposeSystem,
  out: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  const file = args.file ?? (await usualFile());
  const source = readComposeSource(file, await readTextBounded(file));
  if (!source.ok) return refuse([source.error], complain);
  const project = await projectOf(source.value, host.env);
  const count = project.services.length;
  if (count === 0) return refuse([`${file}: there are no services in it`], complain);
  if (count > MOST_SERVICES) return refuse([`${file}: ${count} services, at most ${MOST_SERVICES}`], complain);
  const odd = project.services.filter(({ name }) => !SERVICE_NAME.test(name));
  if (odd.length > 0)
    return refuse(
      odd.map(({ name }) => `${file}: ${JSON.stringify(name)} is no name of a service`),
      complain,
    );
  const guess = planProject(project, wishesOf(args));
  if (!guess.ok) throw new MeshError('usage', { detail: guess.error.join('; '), hint: 'see weft compose --help' });
  const taken = takenNames(guess.value);
  if (taken.length > 0) return refuse(taken, complain);
  const target = await targetOf(args, file);
  const plan = target.kept === null ? guess : keepConfig(guess.value, target.config, target.kept);
  if (!plan.ok) return refuse(plan.error, complain);
  const more = await surroundingLines(file, project, host);
  for (const line of [...reportLines(plan.value), ...more]) out(oneLine(line));
  if (args.check) {
    const files = target.kept === null ? `${target.config} and ${target.override}` : target.override;
    out(`\n--check: would write ${files}; nothing is written`);
    if (target.blocked !== null) out(target.blocked);
    return carriesEverything(plan.value) ? 0 : 1;
  }
  if (target.blocked !== null) return refuse([target.blocked], complain);
  if (plan.value.members.length === 0)
    return refuse([`${file}: no service can be put into a mesh, nothing is written`], complain);
  await write(plan.value, args, file, target);
  out(`\nwrote ${target.kept === null ? `${target.config} and ` : ''}${target.override}`);
  if (target.kept !== null) out(`${target.config} is there already and stays as it is`);
  out(`next: docker compose -f ${file} -f ${target.override} up --wait`);
  return 0;
}

interface Target {
  readonly config: string;
  readonly override: string;
  /** Text of a weft.yaml that stays; null: it is written. */
  readonly kept: string | null;
  /** Why the override may not be written. */
  readonly blocked: string | null;
}

async function targetOf(args: ComposeArgs, file: string): Promise<Target> {
  const folder = args.out ?? dirname(file);
  const config = join(folder, CONFIG);
  const override = join(folder, OVERRIDE);
  const kept = !args.force && (await exists(config)) ? await readTextBounded(config) : null;
  const blocked =
    !args.force && (await exists(override)) ? `${override} is there already (--force writes over it)` : null;
  return { config, override, kept, blocked };
}

async function write(plan: Plan, { image, podImage }: ComposeArgs, file: string, target: Target): Promise<void> {
  const { config, override, kept } = target;
  if (kept === null) await writeFileAtomic(config, weftYaml(plan));
  await writeFileAtomic(
    override,
    overrideYaml(plan, { image, podImage, config: seenFrom(file, config), base: baseOf(override, file) }),
  );
}

/** Compose resolves what an override names from the folder of the first file. */
function seenFrom(file: string, config: string): string {
  const path = relative(dirname(resolve(file)), resolve(config));
  return path.startsWith('..') ? resolve(config) : `./${path}`;
}

/** From wherever Compose resolves it. */
function baseOf(override: string, file: string): string {
  return dirname(resolve(override)) === dirname(resolve(file)) ? `./${basename(file)}` : resolve(file);
}

async function usualFile(): Promise<string> {
  for (const name of USUAL_FILES) if (await exists(name)) return name;
  throw new MeshError('usage', {
    detail: 'there is no compose file here',
    hint: `name it, or go where it is; looked for ${USUAL_FILES.join(', ')}`,
  });
}

async function projectOf(source: ComposeSource, env: NodeJS.ProcessEnv): Promise<ComposeProject> {
  const folder = dirname(resolve(source.file));
  const variables = await variablesOf(folder, env);
  const envFiles = new Map<string, ReturnType<typeof parseEnvFile>>();
  for (const path of envFilesOf(source, variables)) {
    const at = resolve(folder, path);
    if (await exists(at)) envFiles.set(path, parseEnvFile(await readTextBounded(at, 1024 * 1024)));
  }
  return readProject(source, { variables, envFiles, folder: basename(folder) });
}

/** The shell wins over `.env`, as with Compose. */
async function variablesOf(folder: string, env: NodeJS.ProcessEnv): Promise<Variables> {
  const path = join(folder, '.env');
  const variables = new Map((await exists(path)) ? parseEnvFile(await readTextBounded(path, 1024 * 1024)) : []);
  for (const [name, value] of Object.entries(env)) if (value !== undefined) variables.set(name, value);
  return variables;
}

function wishesOf(args: ComposeArgs): Parameters<typeof planProject>[1] {
  const http = new Map<string, number | null>();
  for (const text of args.http) {
    const [name = '', port] = text.split(':');
    const [number] = port === undefined ? [] : portsOf(port);
    if (port !== undefined && number === undefined) {
      throw new MeshError('usage', {
        detail: `--http needs SERVICE or SERVICE:PORT, found '${text}'`,
        hint: 'as in api:8080',
      });
    }
    http.set(name, number ?? null);
  }
  return { http, outside: new Set(args.outside) };
}

function takenNames(plan: Plan): readonly string[] {
  const { project } = plan;
  const added = addedNames(plan);
  const services = new Set(project.services.map(({ name }) => name));
  return [
    ...added.services.filter((name) => services.has(name)).map((name) => `the service ${name}`),
    ...added.volumes.filter((name) => project.volumes.includes(name)).map((name) => `the volume ${name}`),
    ...[MESH_NETWORK, OUTSIDE_NETWORK]
      .filter((name) => project.networks.includes(name))
      .map((name) => `the network ${name}`),
  ].map((what) => `${project.source.file} has ${what}, a name that Weft needs for itself: rename it`);
}

/** What is beside the file and what would run it. */
async function surroundingLines(
  file: string,
  project: ComposeProject,
  host: ComposeSystem,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const other = file.replace(/\.(ya?ml)$/, '.override.$1');
  if (other !== file && (await exists(other))) {
    lines.push(`${other} is not read here, nor by compose where files are named: put it between them with another -f`);
  }
  for (const { name, raw } of project.services) {
    const entries = Array.isArray(raw['env_file']) ? raw['env_file'] : [raw['env_file']];
    for (const entry of entries) {
      if (typeof entry !== 'string' || (await exists(resolve(dirname(file), entry)))) continue;
      lines.push(`${name}: the env_file ${entry} is not there: what it would say about calls and ports is not known`);
    }
  }
  const version = await host.composeVersion();
  if (version !== null && isTooOld(version)) {
    lines.push(`Docker Compose here is ${version}: compose.weft.yml needs 2.24.4 or newer, which knows the tag !reset`);
  }
  return lines;
}

/** Source: Compose's release notes; `!reset` came with 2.24.4. A version that is no number may be anything. */
export function isTooOld(version: string): boolean {
  const [, major = '', minor = '', patch = ''] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version.trim()) ?? [];
  if (major === '') return false;
  const found = [Number(major), Number(minor), Number(patch)];
  for (const [index, least] of [2, 24, 4].entries()) {
    const part = found[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

function composeVersion(): Promise<string | null> {
  return new Promise((done) => {
    execFile('docker', ['compose', 'version', '--short'], { timeout: 5_000 }, (error, stdout) =>
      done(error === null ? stdout.trim() : null),
    );
  });
}

function refuse(lines: readonly string[], complain: (line: string) => void): 1 {
  for (const line of lines) complain(oneLine(`error: ${line}`));
  return 1;
}

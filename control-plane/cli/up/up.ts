// `weft up`: a whole mesh on one machine. This part checks what can be checked before anything starts, then hands
// over to MeshRun and reports what becomes of it.
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { initAuthority } from '../../../certs/authority/authority-folder.ts';
import { readAuthority } from '../../../certs/authority/authority-reader.ts';
import { createToken } from '../../../certs/token/token-store.ts';
import { parseConfig } from '../../../core/config/parse.ts';
import type { ConfigError } from '../../../core/config/problem.ts';
import { MeshError } from '../../../core/kit/error.ts';
import type { Mesh } from '../../../core/model/mesh.ts';
import { type RunningServer, startAdminServer } from '../../../host/admin.ts';
import { readConfigFiles } from '../../../host/config-files.ts';
import { ensureDir, exists } from '../../../host/files.ts';
import type { LogLevel } from '../../../host/log.ts';
import type { StopSignals } from '../../../host/signals.ts';
import { INSTANCES_FILE } from '../../registry/known-instances.ts';
import { FileSource } from '../../source/file-source.ts';
import { problemLine } from '../validate.ts';
import { Console, type ConsoleOutput } from './console.ts';
import { Launcher } from './launch.ts';
import { MeshRun, type TokenHolder } from './mesh-run.ts';
import { OrphanGuard } from './orphan-guard.ts';
import { planMesh } from './plan.ts';
import { PortBook, tryBind } from './ports.ts';
import { Reporter } from './reporter.ts';

export interface UpOptions {
  readonly file: string;
  /** Where `.weft` is; the working directory. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Null where the user names none. */
  readonly logLevel: LogLevel | null;
  readonly colour: boolean;
  readonly proxyEntry: string;
  readonly controlPlaneEntry: string;
  readonly out: ConsoleOutput;
  /** For what is wrong with the configuration. */
  readonly err: ConsoleOutput;
}

/** Resolves with the exit code once all is stopped. Throws MeshError where it cannot begin. */
export async function runUp(options: UpOptions, signals: StopSignals): Promise<number> {
  const mesh = await readMesh(options);
  if (mesh === null) return 1;
  const stateDir = join(resolve(options.folder), '.weft');
  await ensureDir(stateDir);
  const lock = await takeLock(stateDir);
  try {
    await prepareAuthority(join(stateDir, 'ca'), mesh.trustDomain);
    await checkEdgePorts(mesh);
    // Everybody joins anew: what an earlier run left behind may belong to another authority.
    await rm(join(stateDir, 'proxies'), { recursive: true, force: true });
    // Nobody of it is alive, and the ports are others: a callee that is expected back would be taken for a ready one.
    await rm(join(stateDir, 'control-plane', INSTANCES_FILE), { force: true });
    return await runMesh(mesh, stateDir, options, signals);
  } finally {
    await lock.close();
  }
}

async function runMesh(mesh: Mesh, stateDir: string, options: UpOptions, signals: StopSignals): Promise<number> {
  const { file, env, logLevel, proxyEntry, controlPlaneEntry } = options;
  const launcher = new Launcher({
    ...{ file, stateDir, env, logLevel, proxyEntry, controlPlaneEntry },
    ports: new PortBook(Math.random),
  });
  const guard = new OrphanGuard();
  const screen = new Console(options.out, options.colour);
  const reporter = new Reporter({ screen, guard, stateDir, caFile: join(launcher.caDir, 'root.pem') });
  const run = new MeshRun({ launcher, createToken: await tokenMaker(launcher), events: reporter }, planMesh(mesh));
  const source = new FileSource({
    files: [file],
    // What is wrong with an edit is said by the control plane, which reads the same file.
    onInvalid: () => {},
    onConfig: (config) => reporter.edit(config.mesh),
  });
  const stopped = aborted(signals.stop);
  guard.start();
  reporter.begin(run, mesh);
  await source.start();
  const failure = await Promise.race([stopped, reporter.fatal]);
  screen.say('stopping');
  await source.close();
  const kill = (): void => run.kill();
  signals.now.addEventListener('abort', kill);
  await run.stop();
  await reporter.end();
  guard.close();
  if (failure === null) return 0;
  throw failure;
}

async function readMesh(options: UpOptions): Promise<Mesh | null> {
  const texts = await readConfigFiles([options.file]);
  const parsed = texts.ok ? parseConfig(texts.value) : texts;
  // Warnings are said by the control plane, which reads the same file.
  const errors: readonly ConfigError[] = parsed.ok ? [] : parsed.error;
  for (const problem of errors) options.err.write(`${problemLine(problem)}\n`);
  return parsed.ok ? parsed.value.mesh : null;
}

/** A socket that only one process can serve: it frees itself when that process dies, in whatever way. */
async function takeLock(stateDir: string): Promise<RunningServer> {
  try {
    return await startAdminServer(join(stateDir, 'up.sock'), {});
  } catch (cause) {
    if (!(cause instanceof MeshError) || cause.code !== 'address-in-use') throw cause;
    const hint = 'stop it first, or use another folder';
    throw new MeshError('address-in-use', { detail: `another weft up runs in ${stateDir}`, hint, cause });
  }
}

async function prepareAuthority(caDir: string, trustDomain: string): Promise<void> {
  const ambient = { clock: Date.now, random: randomBytes };
  if (!(await exists(join(caDir, 'root.pem')))) await initAuthority(caDir, { trustDomain, ...ambient });
  const authority = await readAuthority(caDir);
  if (authority.trustDomain === trustDomain) return;
  throw new MeshError('config-invalid', {
    detail: `mesh.trustDomain is ${trustDomain}, but the authority in ${caDir} is of ${authority.trustDomain}`,
    hint: `change the one, or remove the folder to have a new authority made`,
  });
}

async function tokenMaker(launcher: Launcher): Promise<(holder: TokenHolder) => Promise<string>> {
  const ambient = { clock: Date.now, random: randomBytes };
  const { rootFingerprint } = await readAuthority(launcher.caDir);
  const store = { stateDir: launcher.controlPlaneDir, rootFingerprint, ...ambient };
  return async ({ account, version, instance }) => {
    const token = await createToken(store, { account, instance, ...(version === null ? {} : { version }) });
    return token.reveal();
  };
}

/** Said before anything starts: a port that somebody else has. */
async function checkEdgePorts(mesh: Mesh): Promise<void> {
  for (const edge of mesh.edges.values()) {
    for (const [index, { address, port }] of edge.listeners.entries()) {
      const error = port === 0 ? null : await tryBind(address, port);
      if (error === null) continue;
      throw new MeshError(error.code, {
        detail: `${error.detail}, wanted by edges.${edge.name}.listeners[${index}]`,
        hint: error.hint,
        cause: error,
      });
    }
  }
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((done) => {
    if (signal.aborted) done(null);
    else signal.addEventListener('abort', () => done(null), { once: true });
  });
}

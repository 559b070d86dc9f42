// A mesh for the storm, all of it processes: a control plane, an edge, and instances of two services that come and go.
// `front` runs its app as its child (`weft run`), `back` has an app beside its sidecar.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { initAuthority, openAuthority } from '../../certs/authority/authority-folder.ts';
import { createToken } from '../../certs/token/token-store.ts';
import { PortBook } from '../../control-plane/cli/up/ports.ts';
import { type ProxyProcess, startProgram } from './proxy-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const APP = join(import.meta.dirname, 'storm-app.ts');
// Sources are compiled once for all processes.
const FAST = { NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/weft-test') };

export interface Instance {
  readonly name: string;
  readonly proxy: ProxyProcess;
  /** Ends what lives beside the sidecar; after the sidecar has ended. */
  endApp(): void;
}

/** What the configuration is made for. */
export interface EdgePorts {
  readonly tls: number;
  readonly plain: number;
}

export interface StormMesh {
  readonly folder: string;
  readonly ports: EdgePorts;
  readonly ca: Buffer;
  writeConfig(yaml: string): Promise<void>;
  /** Starts the control plane; again on the same ports and folder. */
  startPlane(more?: readonly string[]): ProxyProcess;
  startEdge(): Promise<ProxyProcess>;
  /** `front` or `back`; the app listens when it resolves, the sidecar may not be ready. */
  startInstance(service: 'front' | 'back', name: string, version?: string): Promise<Instance>;
}

const ambient = { clock: () => Date.now(), random: (size: number) => randomBytes(size) };

export async function makeStormMesh(t: TestContext, yaml: (ports: EdgePorts) => string): Promise<StormMesh> {
  const folder = await temporaryFolder(t);
  const book = new PortBook(Math.random);
  const [discovery, joining] = [await book.port('discovery'), await book.port('join')];
  const ports = { tls: await book.port('tls'), plain: await book.port('plain') };
  const [caDir, stateDir] = [join(folder, 'ca'), join(folder, 'control-plane')];
  await initAuthority(caDir, { ...ambient, trustDomain: 'storm.test' });
  const { rootFingerprint } = await openAuthority(caDir, ambient);
  const file = join(folder, 'weft.yaml');
  const writeConfig = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  await writeConfig(yaml(ports));
  const run = (main: string, args: readonly string[]): ProxyProcess =>
    startProgram(t, join(ROOT, main), folder, args, FAST);
  const proxy = async (
    role: string,
    name: string,
    request: { account: string; version?: string },
    args: readonly string[],
  ): Promise<ProxyProcess> => {
    const token = await createToken({ stateDir, rootFingerprint, ...ambient }, { ...request, instance: name });
    const [flags = [], tail = []] = split(args);
    return run('proxy/main.ts', [
      role,
      ...['--name', name, '--token', token.reveal(), '--status', '127.0.0.1:0', '--drain', '5s'],
      ...['--control-plane', `127.0.0.1:${discovery}`, '--join', `127.0.0.1:${joining}`],
      ...flags,
      ...tail,
    ]);
  };
  return {
    folder,
    ports,
    ca: await readFile(join(caDir, 'root.pem')),
    writeConfig,
    startPlane: (more = []) =>
      run('control-plane/main.ts', [
        ...['--config', 'weft.yaml', '--ca-dir', 'ca', '--state-dir', 'control-plane', '--status', '127.0.0.1:0'],
        ...['--discovery', `127.0.0.1:${discovery}`, '--join', `127.0.0.1:${joining}`],
        ...more,
      ]),
    startEdge: () => proxy('edge', 'edge-main', { account: 'edge-main' }, []),
    startInstance: async (service, name, version) => {
      const port = await book.port(`${name}/app`);
      const request = { account: service, ...(version === undefined ? {} : { version }) };
      const any = ['--inbound', '127.0.0.1:0', '--outbound-by-host', '127.0.0.1:0', '--app', `127.0.0.1:${port}`];
      if (service === 'front') {
        const command = ['--', process.execPath, APP, name, String(port)];
        const args = [...any, '--outbound', 'back=127.0.0.1:0', ...command];
        return { name, proxy: await proxy('run', name, request, args), endApp: () => {} };
      }
      const app = spawn(process.execPath, [APP, name, String(port)], {
        env: { ...process.env, ...FAST },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const endApp = (): void => void app.kill('SIGKILL');
      t.after(endApp);
      await once(app.stdout, 'data');
      return { name, proxy: await proxy('sidecar', name, request, any), endApp };
    },
  };
}

/** Flags, and the command with its `--`. */
function split(args: readonly string[]): readonly (readonly string[])[] {
  const at = args.indexOf('--');
  return at === -1 ? [args] : [args.slice(0, at), args.slice(at)];
}

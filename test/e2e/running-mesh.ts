// A whole `weft up` for end-to-end tests: in a folder of its own, on ports that the system chooses.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CLI = join(ROOT, 'control-plane/cli/main.ts');
// Sources are compiled once for all tests, not once per process.
const FAST = { NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/weft-test') };
const SHOP = join(ROOT, 'examples/shop');

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  /** Parsed where it is JSON, else the text. */
  readonly body: Record<string, unknown>;
}

export interface UpJson {
  readonly edge: string;
  readonly ca: string;
  readonly processes: readonly { readonly name: string; readonly role: string; readonly pid: number }[];
}

/** A folder with the shop, its edge ports 0. */
export async function shopFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-shop-'));
  await cp(SHOP, folder, { recursive: true, filter: (path) => !path.includes('.weft') });
  const file = join(folder, 'weft.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('port: 8443', 'port: 0').replace('port: 8080, address', 'port: 0, address'));
  return folder;
}

export type CallOptions = Omit<RequestOptions, 'headers'> & { readonly headers?: Record<string, string> };

/** A folder with this configuration. */
export async function configFolder(yaml: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-up-'));
  await writeFile(join(folder, 'weft.yaml'), yaml);
  return folder;
}

export class RunningMesh {
  readonly folder: string;
  readonly child: ChildProcess;
  /** Everything that it printed so far. */
  output = '';
  #up: UpJson | null = null;
  #ca = '';
  #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor(folder: string, command: readonly string[] = [process.execPath, CLI, 'up']) {
    this.folder = folder;
    const [program = '', ...args] = command;
    this.child = spawn(program, args, {
      cwd: folder,
      env: { ...process.env, ...FAST },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk) => {
        this.output += String(chunk);
        // To see what happened: WEFT_E2E_LOG=/dev/stderr npm test.
        const copy = process.env['WEFT_E2E_LOG'];
        if (copy !== undefined) appendFileSync(copy, String(chunk));
      });
    }
  }

  async ready(timeout = 30_000): Promise<this> {
    await eventually(() => {
      if (this.child.exitCode !== null) return true;
      return /\| ready$/m.test(this.output) || Promise.reject(new Error(`not ready\n${this.output}`));
    }, timeout);
    if (this.child.exitCode !== null) throw new Error(`weft up ended\n${this.output}`);
    const up = await this.upJson();
    this.#up = up;
    this.#ca = await readFile(up.ca, 'utf8');
    return this;
  }

  async upJson(): Promise<UpJson> {
    return JSON.parse(await readFile(join(this.folder, '.weft', 'up.json'), 'utf8')) as UpJson;
  }

  /** The pid of a process as up.json has it now. */
  async pid(name: string, role: string): Promise<number> {
    const { processes } = await this.upJson();
    const found = processes.find((process) => process.name === name && process.role === role);
    if (found === undefined) throw new Error(`no ${role} ${name} in up.json`);
    return found.pid;
  }

  get edge(): string {
    return this.#up?.edge ?? '';
  }

  /** Over TLS to the edge, verified by the mesh's root. */
  async call(method: string, path: string, options: CallOptions = {}, body?: unknown): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const outgoing = request(
      new URL(path, this.edge),
      {
        method,
        ca: this.#ca,
        agent: this.#agent,
        timeout: 10_000,
        ...options,
        headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
      },
      async (response) => {
        let text = '';
        for await (const chunk of response) text += String(chunk);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parse(text) });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} timed out`)));
    outgoing.on('error', reject);
    outgoing.end(payload);
    return promise;
  }

  /** Replaces a part of the config. */
  async edit(from: string, to: string): Promise<void> {
    const file = join(this.folder, 'weft.yaml');
    const text = await readFile(file, 'utf8');
    if (!text.includes(from)) throw new Error(`the config has no ${from}`);
    await writeFile(file, text.replace(from, to));
  }

  /** Stops it, waits for its end, removes the folder; returns the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#agent.destroy();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill(signal);
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
    return this.child.exitCode;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Runs the CLI to its end. */
export async function weft(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly timeout?: number },
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...FAST, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeout ?? 20_000,
  });
  const read = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (read.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (read.stderr += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...read };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text };
  }
}

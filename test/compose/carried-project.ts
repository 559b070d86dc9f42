// Somebody's Compose project in a folder of its own, brought into a mesh by `weft compose` and run on the engine.
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { runCompose } from '../../control-plane/cli/compose/command.ts';
import { docker, requireEngine, ROOT, tryDocker, type Ran } from './engine.ts';

export interface CarriedProjectOptions {
  readonly name: string;
  /** In test/fixtures. */
  readonly fixture: string;
  readonly file: string;
  /** The variable that says where it is published. */
  readonly portVariable: string;
}

export class CarriedProject {
  readonly #options: CarriedProjectOptions;
  #root = '';
  #port = 0;

  constructor(options: CarriedProjectOptions) {
    this.#options = options;
  }

  /** A copy of the project and of what it mounts, and the images. */
  async prepare(): Promise<void> {
    await requireEngine();
    this.#root = await mkdtemp(join(tmpdir(), 'weft-carried-'));
    this.#port = await freePort();
    const filter = (path: string): boolean => !path.includes('.weft');
    for (const folder of [`test/fixtures/${this.#options.fixture}`, 'examples/shop']) {
      await cp(join(ROOT, folder), join(this.#root, folder), { recursive: true, filter });
    }
    await docker(['build', '-q', '-t', 'weft:dev', '--target', 'weft', '.']);
    await docker(['build', '-q', '-t', 'weft:netns', '--target', 'netns', '.']);
    await this.down();
  }

  async remove(): Promise<void> {
    if (this.#root === '') return;
    await this.down();
    await rm(this.#root, { recursive: true, force: true });
  }

  get folder(): string {
    return join(this.#root, 'test/fixtures', this.#options.fixture);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** `weft compose FILE`, as the command line runs it. */
  async weftCompose(args: { readonly check: boolean }): Promise<{ readonly code: number; readonly lines: string[] }> {
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const file = join(this.folder, this.#options.file);
    const images = { image: 'weft:dev', podImage: 'weft:netns' };
    const options = { file, force: false, out: null, http: [], outside: [], ...images, ...args };
    const host = { env: {}, composeVersion: async () => null };
    return { code: await runCompose(options, host, say, say), lines };
  }

  /** As it was before Weft. */
  plain(...args: readonly string[]): Promise<string> {
    return docker(this.#line([this.#options.file], args), this.#env);
  }

  compose(...args: readonly string[]): Promise<string> {
    return docker(this.#line([this.#options.file, 'compose.weft.yml'], args), this.#env);
  }

  /** Output of a script that Node runs in a service's container. */
  inside(service: string, script: string): Promise<string> {
    return this.compose('exec', '-T', service, 'node', '-e', script);
  }

  network(name: string): string {
    return `${this.#options.name}_${name}`;
  }

  down(): Promise<Ran> {
    // By its name alone: what is there may come from either form.
    return tryDocker(['compose', '-p', this.#options.name, 'down', '--volumes', '--remove-orphans', '--timeout', '3']);
  }

  /** File → SHA-256, of the project and of what it mounts. */
  async hashes(): Promise<ReadonlyMap<string, string>> {
    const hashes = new Map<string, string>();
    for (const entry of await readdir(this.#root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const hash = createHash('sha256').update(await readFile(path));
      hashes.set(relative(this.#root, path), hash.digest('hex'));
    }
    return hashes;
  }

  get #env(): NodeJS.ProcessEnv {
    return { [this.#options.portVariable]: String(this.#port) };
  }

  #line(files: readonly string[], args: readonly string[]): string[] {
    const named = files.flatMap((file) => ['-f', join(this.folder, file)]);
    return ['compose', '-p', this.#options.name, '--progress', 'plain', ...named, ...args];
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

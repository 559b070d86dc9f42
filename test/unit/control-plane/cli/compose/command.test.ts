import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  isTooOld,
  runCompose,
  type ComposeArgs,
  type ComposeSystem,
} from '../../../../../control-plane/cli/compose/command.ts';
import { MeshError } from '../../../../../core/kit/error.ts';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';

const PROJECT = `services:
  web: { image: a, ports: ["3000:3000"], environment: { API: "http://api:8080" } }
  api: { image: a }
`;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly complaints: readonly string[];
}

class Folder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.path, name), text);
  }

  read(name: string): Promise<string> {
    return readFile(join(this.path, name), 'utf8');
  }

  async run(args: Partial<ComposeArgs> = {}, host: Partial<ComposeSystem> = {}): Promise<Ran> {
    const lines: string[] = [];
    const complaints: string[] = [];
    const all = {
      file: join(this.path, 'docker-compose.yml'),
      check: false,
      force: false,
      image: 'weft:dev',
      podImage: 'weft:netns',
      out: null,
      http: [],
      outside: [],
      ...args,
    };
    const system = { env: {}, composeVersion: async () => null, ...host };
    const code = await runCompose(
      all,
      system,
      (line) => lines.push(line),
      (line) => complaints.push(line),
    );
    return { code, out: lines.join('\n'), complaints };
  }
}

async function project(context: TestContext, text = PROJECT): Promise<Folder> {
  const folder = new Folder(await temporaryFolder(context));
  await folder.write('docker-compose.yml', text);
  return folder;
}

test('compose writes both files beside the compose file and leaves that one alone', async (context) => {
  const folder = await project(context);
  const { code, out } = await folder.run();
  assert.equal(code, 0);
  assert.deepEqual((await readdir(folder.path)).toSorted(), ['compose.weft.yml', 'docker-compose.yml', 'weft.yaml']);
  assert.equal(await folder.read('docker-compose.yml'), PROJECT);
  assert.match(out, /^next: docker compose -f \S+docker-compose\.yml -f \S+compose\.weft\.yml up --wait$/m);
  assert.match(await folder.read('compose.weft.yml'), / \.\/weft\.yaml:\/etc\/weft\/weft\.yaml:ro/);
});

test('--check writes nothing and is 0 where everything is carried over', async (context) => {
  const folder = await project(context);
  const { code, out } = await folder.run({ check: true });
  assert.equal(code, 0, out);
  assert.match(out, /would write .*weft\.yaml and .*compose\.weft\.yml; nothing is written/);
  assert.deepEqual(await readdir(folder.path), ['docker-compose.yml']);
});

test('--check is 1 where something is not carried over, while writing it is still done', async (context) => {
  const folder = await project(
    context,
    'services: { db: { image: a, network_mode: host }, web: { image: a, expose: [80] } }',
  );
  assert.equal((await folder.run({ check: true })).code, 1);
  assert.equal((await folder.run()).code, 0);
});

test('an override that is there is written over by force alone', async (context) => {
  const folder = await project(context);
  await folder.write('compose.weft.yml', 'mine');
  const { code, complaints } = await folder.run();
  assert.equal(code, 1);
  assert.deepEqual(complaints, [
    `error: ${join(folder.path, 'compose.weft.yml')} is there already (--force writes over it)`,
  ]);
  assert.deepEqual((await readdir(folder.path)).toSorted(), ['compose.weft.yml', 'docker-compose.yml']);
  assert.equal(await folder.read('compose.weft.yml'), 'mine');
  assert.match((await folder.run({ check: true })).out, /is there already \(--force writes over it\)/);
  assert.equal((await folder.run({ force: true })).code, 0);
  assert.notEqual(await folder.read('compose.weft.yml'), 'mine');
});

test('a weft.yaml that is there stays, and its calls count', async (context) => {
  const folder = await project(context);
  const mine = `version: 1
services:
  web: { port: 3000, calls: [] }
  api: { port: 8080, calls: [web] }
edges:
  web: { listeners: [{ port: 3000 }], routes: [{ match: /**, to: web }] }
`;
  await folder.write('weft.yaml', mine);
  const { code, out } = await folder.run();
  assert.equal(code, 0, out);
  assert.equal(await folder.read('weft.yaml'), mine);
  assert.match(out, /weft\.yaml is there already and stays as it is/);
  assert.match(await folder.read('compose.weft.yml'), /# api: port 8080, calls web\./);
});

test('the ports of a weft.yaml that is there may have other names, and must all be there', async (context) => {
  const text = `services:
  web: { image: a, ports: ["3000:3000"], environment: { API: "http://api:8080", ADMIN: "api:9090", CACHE: "redis://kv" } }
  api: { image: a }
  kv: { image: redis }
`;
  const folder = await project(context, text);
  const mine = `version: 1
services:
  web: { port: 3000, calls: [api] }
  api: { ports: { http: 8080, admin: { port: 9090, protocol: http } } }
  kv: { port: 6379, protocol: tcp }
edges:
  web: { listeners: [{ port: 3000 }], routes: [{ match: /**, to: web }] }
`;
  await folder.write('weft.yaml', mine);
  assert.equal((await folder.run()).code, 0);
  const override = await folder.read('compose.weft.yml');
  assert.match(override, /# api: port 8080, 9090, calls nobody\./);
  assert.match(override, /# kv: port 6379 as bytes, calls nobody\./);
  await folder.write('weft.yaml', mine.replace('admin: { port: 9090', 'admin: { port: 9091'));
  const { complaints } = await folder.run({ force: false, check: true });
  assert.match(complaints.join('\n'), /has no service api with port 8080, 9090/);
});

test('a weft.yaml of another mesh is told apart, and nothing is written', async (context) => {
  const folder = await project(context);
  await folder.write('weft.yaml', 'version: 1\nservices:\n  api: { port: 9999 }\n');
  const { code, complaints } = await folder.run();
  assert.equal(code, 1);
  assert.equal(complaints.length, 2);
  assert.match(complaints[0] ?? '', /has no service web with port 3000: correct it, or --force writes over it/);
  assert.match(complaints[1] ?? '', /has no service api with port 8080/);
  await folder.write('weft.yaml', 'services: [');
  assert.match((await folder.run()).complaints[0] ?? '', /weft\.yaml:1:\d+: error: /);
  assert.deepEqual((await readdir(folder.path)).toSorted(), ['docker-compose.yml', 'weft.yaml']);
});

test('--out writes elsewhere, with paths that Compose finds', async (context) => {
  const folder = await project(context);
  const out = join(folder.path, 'deploy');
  await mkdir(out);
  assert.equal((await folder.run({ out })).code, 0);
  assert.match(await folder.read('deploy/compose.weft.yml'), / \.\/deploy\/weft\.yaml:\/etc/);
});

test('variables come from .env, the shell wins; env files are read where they are', async (context) => {
  const folder = await project(
    context,
    `services:
  web: { image: a, expose: ["\${PORT}"], env_file: [there.env, gone.env] }
  api: { image: a }
`,
  );
  await folder.write('.env', 'PORT=1000\n');
  await folder.write('there.env', 'API=http://api:8080\n');
  const { out } = await folder.run({ check: true });
  assert.match(out, /web, port 1000/);
  assert.match(out, /calls api: API \(there\.env\)/);
  assert.match(out, /web: the env_file gone\.env is not there/);
  assert.match((await folder.run({ check: true }, { env: { PORT: '2000' } })).out, /web, port 2000/);
});

test('--http and --outside say what cannot be known', async (context) => {
  const folder = await project(
    context,
    'services: { a: { image: x, environment: { B: "b:7000" } }, b: { image: postgres, expose: [7000] }, c: { image: x, expose: [80] } }',
  );
  const { out } = await folder.run({ check: true, http: ['b', 'a:9000'], outside: ['c'] });
  assert.match(out, /b, port 7000/);
  assert.match(out, /a, port 9000: as --http says/);
  assert.match(out, /c: stays outside the mesh, as it was: as --outside says/);
});

const WRONG: readonly (readonly [string, Partial<ComposeArgs>, RegExp])[] = [
  ['a service that is not there', { http: ['wep'] }, /there is no service wep in .*, did you mean web\?/],
  ['a service twice', { http: ['web'], outside: ['web'] }, /web: --http and --outside/],
  ['a port that is none', { http: ['web:x'] }, /--http needs SERVICE or SERVICE:PORT, found 'web:x'/],
];
for (const [what, args, message] of WRONG) {
  test(`options about ${what} are refused`, async (context) => {
    const folder = await project(context);
    await assert.rejects(folder.run(args), (error) => {
      return error instanceof MeshError && error.code === 'usage' && message.test(error.detail);
    });
  });
}

test('a file that is not there is one clear error', async (context) => {
  const folder = await project(context);
  await assert.rejects(folder.run({ file: join(folder.path, 'none.yml') }), (error) => {
    return error instanceof MeshError && error.code === 'file-unreadable';
  });
});

test('a file without services, and one with very many, is refused', async (context) => {
  const none = await project(context, 'name: x\n');
  assert.match((await none.run()).complaints[0] ?? '', /there are no services in it/);
  const many = Array.from({ length: 501 }, (_, index) => `  s${index}: {}\n`).join('');
  const some = await project(context, `services:\n${many}`);
  assert.match((await some.run()).complaints[0] ?? '', /501 services, at most 500/);
});

test('a project of which nothing can be carried is left as it is', async (context) => {
  const folder = await project(context, 'services: { db: { image: postgres, network_mode: host } }');
  const { code, complaints } = await folder.run();
  assert.equal(code, 1);
  assert.match(complaints[0] ?? '', /no service can be put into a mesh, nothing is written/);
  assert.deepEqual(await readdir(folder.path), ['docker-compose.yml']);
});

test('names that Weft needs are said before anything is written', async (context) => {
  const folder = await project(
    context,
    `services: { web: { image: a, ports: ["80:80"] }, web-pod: { image: a }, weft-init: { image: a } }
networks: { weft-mesh: }
volumes: { weft-state-web: }
`,
  );
  const { code, complaints } = await folder.run();
  assert.equal(code, 1);
  assert.deepEqual(
    complaints.map((line) => /has (the \w+ \S+), a name that Weft needs/.exec(line)?.[1]),
    ['the service weft-init', 'the service web-pod', 'the volume weft-state-web', 'the network weft-mesh'],
  );
  assert.deepEqual(await readdir(folder.path), ['docker-compose.yml']);
});

test('an override file of the app and an old Compose are mentioned', async (context) => {
  const folder = await project(context);
  await folder.write('docker-compose.override.yml', 'services: {}');
  const { out } = await folder.run({ check: true }, { composeVersion: async () => '2.20.3' });
  assert.match(out, /docker-compose\.override\.yml is not read here/);
  assert.match(out, /Docker Compose here is 2\.20\.3: compose\.weft\.yml needs 2\.24\.4 or newer/);
});

test('versions of Compose are compared by number', () => {
  for (const old of ['1.29.2', 'v2.5.0', '2.24.3', '2.24.3-desktop.1']) assert.ok(isTooOld(old), old);
  for (const fine of ['2.24.4', '2.24.10', 'v2.40.1', '5.0.0', 'dev', '']) assert.ok(!isTooOld(fine), fine);
});

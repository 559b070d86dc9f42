import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { CLI, configFolder, isAlive, RunningMesh, type UpJson, weft } from './running-mesh.ts';

const APP = `node -e "require('node:http').createServer((q, a) => a.end(process.env.INSTANCE)).listen(process.env.PORT, '127.0.0.1')"`;

const SMALL = `
version: 1
mesh: { trustDomain: small.test }
services:
  web:
    port: 3000
    run: >-
      ${APP}
edges:
  main:
    listeners: [{ port: 0, tls: internal }]
    routes: [{ match: /**, to: web }]
`;

const ONE_LINE = /^weft: [^\n]+ \([^\n]+\)\n$/;

async function allGone(up: UpJson): Promise<void> {
  for (const { name, role, pid } of up.processes) {
    await eventually(() => !isAlive(pid) || Promise.reject(new Error(`${role} ${name} (${pid}) lives on`)), 10_000);
  }
}

describe('weft up', { timeout: 180_000 }, () => {
  const started: RunningMesh[] = [];
  const run = (folder: string, command?: readonly string[]): RunningMesh => {
    const mesh = new RunningMesh(folder, command);
    started.push(mesh);
    return mesh;
  };
  // Also after a failure: nothing may run on.
  afterEach(() => Promise.all(started.splice(0).map((mesh) => mesh.stop('SIGKILL'))));

  it('stops everything when npm that started it gets SIGTERM', async () => {
    const folder = await configFolder(SMALL);
    const start = `exec '${process.execPath}' '${CLI}' up`;
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, scripts: { start } }));
    const mesh = await run(folder, ['npm', 'start', '--silent']).ready();
    const up = await mesh.upJson();
    assert.deepEqual(up.processes.map(({ name, role }) => `${role} ${name}`).toSorted(), [
      'app web-1',
      'control-plane control-plane',
      'edge edge-main',
      'sidecar web-1',
    ]);
    assert.equal((await mesh.call('GET', '/')).body['text'], 'web-1');
    mesh.child.kill('SIGTERM');
    await allGone(up);
    await eventually(() => !existsSync(join(folder, '.weft', 'up.json')));
    await mesh.stop();
  });

  it('leaves nothing alive even when it is killed itself', async () => {
    const mesh = await run(await configFolder(SMALL)).ready();
    const up = await mesh.upJson();
    mesh.child.kill('SIGKILL');
    await allGone(up);
    // The next one is not kept out by what the dead one left.
    const next = await run(mesh.folder).ready();
    assert.equal((await next.call('GET', '/')).status, 200);
    assert.equal(await next.stop('SIGINT'), 0);
  });

  it('refuses a port that somebody else has, in one line', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const folder = await configFolder(SMALL.replace('port: 0, tls: internal', `port: ${port}, address: 127.0.0.1`));
    const { code, stderr } = await weft(['up'], { cwd: folder });
    other.close();
    assert.equal(code, 1);
    assert.match(stderr, ONE_LINE);
    assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port}, wanted by edges\\.main\\.listeners\\[0\\]`));
    await rm(folder, { recursive: true });
  });

  it('reports every error of its configuration with file, line and column, and starts nothing', async () => {
    const folder = await configFolder(SMALL.replace('to: web', 'to: wbe').replace('port: 3000', 'prot: 3000'));
    const { code, stdout, stderr } = await weft(['up'], { cwd: folder });
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^weft\.yaml:6:5: error: .*prot.*did you mean "port"\?/m);
    assert(!existsSync(join(folder, '.weft')));
    const missing = await weft(['up', 'nowhere.yaml'], { cwd: folder });
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /nowhere\.yaml.*does not exist/);
    await rm(folder, { recursive: true });
  });

  it('does not mix the authorities of two trust domains', async () => {
    const folder = await configFolder(SMALL);
    const made = await weft(['ca', 'init', '--trust-domain', 'other.test'], { cwd: folder });
    assert.equal(made.code, 0);
    const { code, stderr } = await weft(['up'], { cwd: folder });
    assert.equal(code, 1);
    assert.match(stderr, ONE_LINE);
    assert.match(stderr, /small\.test.*other\.test/);
    await rm(folder, { recursive: true });
  });

  it('runs jobs to their end, restarts what fails, and says what it waits for', async () => {
    const yaml = SMALL.replace(
      'edges:',
      `  nightly: { run: 'node -e "fetch(process.env.WEB_URL).then((a) => a.text()).then(console.log)"', calls: [web] }
  broken: { port: 3001, run: 'exit 3' }
  legacy: { port: 3002 }
edges:`,
    );
    const mesh = run(await configFolder(yaml));
    const seen = (pattern: RegExp): Promise<RegExpExecArray> =>
      eventually(() => pattern.exec(mesh.output) ?? Promise.reject(new Error(mesh.output)), 30_000);
    await seen(/^weft +\| legacy-1 has no "run": its app is expected on 127\.0\.0\.1:3002$/m);
    await seen(/^nightly-1 +\| web-1$/m);
    await seen(/^weft +\| nightly-1 ended with 0: its work is done$/m);
    await seen(/^weft +\| broken-1 ended with 3; it starts again in 1 s$/m);
    await seen(/^weft +\| broken-1 ended with 3; it starts again in 2 s$/m);
    await seen(/^weft +\| not ready: the app of broken-1 does not accept yet$/m);
    assert.doesNotMatch(mesh.output, /\| ready$/m);
    // Repairing the config is enough.
    await mesh.edit(`run: 'exit 3'`, `run: ${JSON.stringify(APP)}`);
    await mesh.ready();
    assert.equal(await mesh.stop(), 0);
  });

  it('takes an instance away under its callers and no request fails', async () => {
    const slow = SMALL.replace('a.end(process.env.INSTANCE)', 'setTimeout(() => a.end(process.env.INSTANCE), 100)');
    const two = slow.replace('port: 3000', 'port: 3000\n    instances: 2');
    const mesh = await run(await configFolder(two)).ready();
    const failures: number[] = [];
    const answered = new Set<string>();
    let stopped = false;
    const caller = async (): Promise<void> => {
      while (!stopped) {
        const { status, body } = await mesh.call('POST', '/');
        if (status === 200) answered.add(String(body['text']));
        else failures.push(status);
      }
    };
    const callers = [caller(), caller()];
    await eventually(() => answered.size === 2);
    await mesh.edit('instances: 2', 'instances: 1');
    await eventually(
      async () => (await mesh.upJson()).processes.filter(({ name }) => name === 'web-2').length === 0,
      20_000,
    );
    answered.clear();
    await eventually(() => answered.size === 1);
    stopped = true;
    await Promise.all(callers);
    assert.deepEqual(failures, []);
    assert.equal(await mesh.stop(), 0);
  });

  it('gives a token to one process only, and tells the second and a forger in one line', async () => {
    const mesh = await run(await configFolder(SMALL)).ready();
    const cwd = mesh.folder;
    const port = (name: string): string =>
      new RegExp(`"name":"${name}","host":"127.0.0.1","port":(\\d+)`).exec(mesh.output)?.[1] ?? '';
    const made = await weft(['token', 'create', '--service', 'web', '--instance', 'web-9'], { cwd });
    const token = made.stdout.trim();
    const sidecar = (name: string, secret: string): readonly string[] => [
      ...['sidecar', '--name', name, '--control-plane', `127.0.0.1:${port('discovery')}`],
      ...['--join', `127.0.0.1:${port('join')}`, '--status', '127.0.0.1:0', '--inbound', '127.0.0.1:0'],
      ...['--outbound-by-host', '127.0.0.1:0', '--token', secret],
    ];
    const first = run(cwd, [process.execPath, CLI, ...sidecar('web-9', token)]);
    await eventually(() => /"message":"ready"/.test(first.output) || Promise.reject(new Error(first.output)), 15_000);
    const second = await weft(sidecar('web-8', token), { cwd });
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^weft: the join token was used before.*\n$/);
    const flipped = token.replace(/^(weft1\.\w+\.).{4}/, '$1AAAA');
    const forger = await weft(sidecar('web-7', flipped), { cwd });
    assert.equal(forger.code, 1);
    assert.match(forger.stderr, /^weft: the join token is not valid.*\n$/);
    const nonsense = await weft(sidecar('web-6', 'weft'), { cwd });
    assert.equal(nonsense.code, 1);
    assert.match(nonsense.stderr, /^weft: the join token is not valid.*\n$/);
    const without = await weft(sidecar('web-5', '').slice(0, -2), { cwd, env: { WEFT_TOKEN: '' } });
    assert.equal(without.code, 1);
    assert.match(without.stderr, /^weft: [^\n]*token[^\n]*\n$/);
    first.child.kill('SIGTERM');
    await once(first.child, 'exit');
    assert.equal(await mesh.stop(), 0);
  });
});

describe('the scripts of the package', () => {
  it('replace their shell, so that a signal to npm reaches the program', async () => {
    const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
    const { scripts } = JSON.parse(text) as { scripts: Record<string, string> };
    for (const name of ['start', 'weft', 'test', 'bench']) assert.match(scripts[name] ?? '', /^exec node /, name);
  });
});

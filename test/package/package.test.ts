// What `npm pack` makes, as somebody gets it who has never seen the repository.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
// Nothing of the checkout, nothing that npm put in front.
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A clean environment: no npm_*, no NODE_*, no PATH of the checkout. */
function cleanEnv(path: string): NodeJS.ProcessEnv {
  const { HOME } = process.env;
  // What the machine's own npm settings have npm warn about is not what is tested.
  return { PATH: path, HOME, npm_config_loglevel: 'error' };
}

function start(command: string, cwd: string, path: string): ChildProcess {
  return spawn('/bin/sh', ['-c', command], {
    cwd,
    env: cleanEnv(path),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

async function run(command: string, cwd: string, path: string): Promise<Ran> {
  const child = start(command, cwd, path);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
  // An npm that waits for its registry must not outlive the test.
  const late = setTimeout(() => killGroup(child), 100_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(late);
  return { code, stdout, stderr };
}

describe('the package', { timeout: 180_000 }, () => {
  let base = '';
  let folder = '';
  /** Has `node` 24 first and the machine's npx after it. */
  let newPath = '';
  before(async () => {
    base = await mkdtemp(join(tmpdir(), 'weft-package-'));
    const packed = await run(`npm pack --silent --pack-destination '${base}'`, ROOT, process.env['PATH'] ?? '');
    assert.equal(packed.code, 0, packed.stderr);
    const tarball = (await readdir(base)).find((name) => name.endsWith('.tgz'));
    assert(tarball !== undefined);
    folder = join(base, 'app');
    await mkdir(folder);
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
    const installed = await run(`npm install --no-audit --no-fund '${join(base, tarball)}'`, folder, SYSTEM_PATH);
    assert.equal(installed.code, 0, installed.stderr);
    await mkdir(join(base, 'bin'));
    await symlink(process.execPath, join(base, 'bin', 'node'));
    newPath = `${join(base, 'bin')}:${SYSTEM_PATH}`;
  });
  after(() => rm(base, { recursive: true, force: true }));

  it('installs itself alone: everything that it needs is inside', async () => {
    const modules = (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
    assert.deepEqual(modules, ['weft']);
    const inside = await readdir(join(folder, 'node_modules', 'weft'));
    for (const name of ['bin', 'dist', 'config.schema.json', 'CHANGELOG.md', 'LICENSE', 'package.json']) {
      assert(inside.includes(name), name);
    }
    for (const name of inside) assert(!['core', 'proxy', 'test', 'tools', 'examples'].includes(name), name);
  });

  it('says in one line what an older Node lacks', async (context) => {
    const { stdout: version } = await run('node --version', folder, SYSTEM_PATH);
    if (Number(version.slice(1).split('.')[0]) >= 24) {
      context.diagnostic(`the machine's own Node is ${version.trim()}: there is no older one to try`);
      return;
    }
    const { code, stdout, stderr } = await run('npx weft up', folder, SYSTEM_PATH);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^weft: .*needs Node 24 or newer; this is .*\(install Node 24.*\)\n$/);
  });

  it('serves after `npx weft init && npx weft up`', async () => {
    const site = join(folder, 'site');
    await mkdir(site);
    const init = await run('npx weft init', site, newPath);
    assert.equal(init.code, 0, init.stderr);
    // The machine may be busy on the ports of the starter.
    const file = join(site, 'weft.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/port: 8443/, 'port: 0').replace(/port: 8080/, 'port: 0'));
    const up = start('exec npx weft up', site, newPath);
    let output = '';
    up.stdout?.on('data', (chunk) => (output += String(chunk)));
    up.stderr?.on('data', (chunk) => (output += String(chunk)));
    const ended = once(up, 'exit');
    const upFile = join(site, '.weft', 'up.json');
    try {
      await eventually(() => existsSync(upFile) || Promise.reject(new Error(output)), 30_000);
      const { edge, ca } = JSON.parse(await readFile(upFile, 'utf8')) as { edge: string; ca: string };
      const answer = await fetchText(edge, await readFile(ca));
      assert.equal(answer.status, 200);
      assert.match(answer.text, /hello from process/);
    } finally {
      // To npx alone, which does not hand it on to weft.
      up.kill('SIGTERM');
      await ended;
      await eventually(() => !existsSync(upFile), 15_000).finally(() => killGroup(up));
    }
  });

  it('has the answers of the command line', async () => {
    const help = await run('npx weft --help', folder, newPath);
    assert.match(help.stdout, /Usage: weft/);
    const wrong = await run('npx weft validate nowhere.yaml', folder, newPath);
    assert.equal(wrong.code, 1);
    assert(!`${wrong.stdout}${wrong.stderr}`.includes('    at '));
    const version = await run('npx weft version', folder, newPath);
    const { version: expected } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    assert.equal(version.stdout, `${expected}\n`);
    assert(existsSync(join(dirname(folder), 'bin', 'node')));
  });
});

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  } catch {
    // All gone, as it should be.
  }
}

function fetchText(url: string, ca: Buffer): Promise<{ status: number; text: string }> {
  return new Promise((done, fail) => {
    get(url, { ca, agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      done({ status: response.statusCode ?? 0, text });
    }).on('error', fail);
  });
}

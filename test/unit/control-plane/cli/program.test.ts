import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../../../control-plane/cli/main.ts', import.meta.url));

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the command line', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-cli-'));
  });
  after(() => rm(folder, { recursive: true }));

  const weft = (...args: string[]): Promise<Ran> => weftIn(folder, ...args);

  async function weftIn(cwd: string, ...args: string[]): Promise<Ran> {
    const child = spawn(process.execPath, [CLI, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  it('shows what there is', async () => {
    const { code, stdout } = await weft('--help');
    assert.equal(code, 0);
    for (const name of ['init', 'up', 'control-plane', 'edge', 'sidecar', 'run', 'ca', 'token', 'validate']) {
      assert.match(stdout, new RegExp(`^ {2}${name}\\b`, 'm'));
    }
    const sidecar = await weft('sidecar', '--help');
    assert.equal(sidecar.code, 0);
    assert.match(sidecar.stdout, /--outbound SERVICE=HOST:PORT .*\[WEFT_OUTBOUND\]/);
    assert.match(sidecar.stdout, /--token TOKEN, --token-file FILE /);
    assert.match(sidecar.stdout, /--drain TIME .*default: 5s /);
  });

  it('prints its version', async () => {
    for (const word of ['version', '--version', '-V']) assert.match((await weft(word)).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('answers a wrong command line with one line, a hint and code 2', async () => {
    for (const [args, expected] of [
      [['sidcar'], /unknown command 'sidcar' \(did you mean sidecar\?\)/],
      [['-v'], /unknown option '-v' \(see weft --help\)/],
      [['token', 'craete'], /did you mean create\?/],
      [['up', '--log-levle', 'info'], /did you mean --log-level\?/],
      [['up', '--log-level', 'loud'], /Allowed choices/],
      [['up', 'a.yaml', 'b.yaml'], /see weft up --help/],
      [['sidecar', '--inbuond', '1'], /did you mean --inbound\?/],
      [['edge', '--drain', 'soon'], /--drain needs a duration/],
      [['token', 'create', '--service', 'a', '--uses', 'many'], /--uses needs a number/],
      [['run', '--drain', '1s'], /weft run \[OPTIONS\] -- COMMAND/],
      [['edge', '--drain', '5'], /--drain needs a duration/],
      [['edge', 'weft.yaml'], /unexpected 'weft\.yaml' \(a file goes behind --standalone\)/],
      [['run', 'node', 'app.js'], /unexpected 'node' \(the app's command goes behind --\)/],
      [['netns'], /there is nothing to do \(say --app-port/],
    ] as const) {
      const { code, stdout, stderr } = await weft(...args);
      assert.equal(code, 2, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, expected);
      assert.match(stderr, /^weft: [^\n]+\n$/);
    }
  });

  it('answers what cannot be done with one line, a hint and code 1', async () => {
    for (const [args, expected] of [
      [['control-plane'], /no certificate authority.*weft ca init/],
      [['token', 'create', '--service', 'orders'], /no certificate authority.*weft ca init/],
      [['edge', '--standalone', 'nowhere.yaml'], /nowhere\.yaml/],
    ] as const) {
      const { code, stderr } = await weft(...args);
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, expected);
      assert.match(stderr, /^weft: [^\n]+\n$/);
    }
  });

  it('makes an authority, a token and a first configuration', async () => {
    assert.match((await weft('ca', 'init', '--dir', 'other')).stdout, /weft\.local/);
    assert.equal((await weft('ca', 'init', '--trust-domain', 'shop.test')).code, 0);
    assert.equal((await weft('ca', 'init', '--trust-domain', 'shop.test')).code, 1);
    const token = await weft('token', 'create', '--service', 'orders', '--version', 'v2');
    assert.match(token.stdout, /^weft1\.[\w.-]+\n$/);
    assert.equal((await weft('init')).code, 0);
    assert.equal((await weft('validate')).code, 0);
    assert((await readdir(folder)).includes('weft.yaml'));
  });

  it('makes the authority of the trust domain that the configuration in the folder names', async () => {
    const here = await mkdtemp(join(folder, 'here-'));
    await writeFile(join(here, 'weft.yaml'), 'version: 1\nmesh: { trustDomain: own.test }\n');
    assert.match((await weftIn(here, 'ca', 'init')).stdout, /own\.test/);
    await writeFile(join(here, 'weft.yaml'), 'version: 2\n');
    const { code, stderr } = await weftIn(here, 'ca', 'init', '--dir', 'other');
    assert.equal(code, 2);
    assert.match(stderr, /weft\.yaml is not valid.*--trust-domain/);
  });
});

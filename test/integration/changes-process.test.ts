import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { initAuthority } from '../../certs/authority/authority-folder.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MAIN = join(import.meta.dirname, '../../control-plane/main.ts');
const CLI = join(import.meta.dirname, '../../control-plane/cli/main.ts');
const ANY_PORTS = ['--discovery', '127.0.0.1:0', '--join', '127.0.0.1:0', '--status', '127.0.0.1:0'];
const MESH = `version: 1
mesh: { trustDomain: shop.test }
services:
  web: { port: 3000, calls: [orders] }
  orders: { port: 8080, timeout: 2s }
  other: { port: 9090 }
`;

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'weft.yaml'), MESH);
  const ambient = { clock: () => Date.now(), random: (size: number) => randomBytes(size) };
  await initAuthority(join(folder, '.weft', 'ca'), { ...ambient, trustDomain: 'shop.test' });
  return folder;
}

async function start(t: TestContext, folder: string) {
  const child = spawn(process.execPath, [MAIN, ...ANY_PORTS], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  let ready = false;
  child.on('message', (message) => {
    ready ||= typeof message === 'object' && 'kind' in message && message.kind === 'ready';
  });
  await eventually(() => ready, 30_000);
  const kill = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return { said: () => output, kill };
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

function weft(folder: string, ...args: string[]): Promise<Ran> {
  return new Promise((done) => {
    execFile(process.execPath, [CLI, ...args], { cwd: folder }, (error, out, errors) => {
      done({ code: error === null ? 0 : Number(error.code), out, errors });
    });
  });
}

const inForce = async (folder: string) =>
  (await weft(folder, 'get', 'snapshots')).out.split('\n').find((line) => line.startsWith('*')) ?? '';

test('what weft apply said is done outlives SIGKILL and restart, until the watched file is edited', async (t) => {
  const folder = await makeFolder(t);
  const first = await start(t, folder);
  await writeFile(join(folder, 'next.yaml'), MESH.replace('2s', '3s'));
  const plan = await weft(folder, 'plan', 'next.yaml');
  assert.equal(plan.code, 0, plan.errors);
  assert.match(
    plan.out,
    /would change\n1 setting:\n {2}services\.orders\.timeout\.request: 2s → 3s\n2 views \(0 connected proxies\):\n/,
  );
  assert.match(plan.out, /\n {2}orders: changed listener inbound\n {2}web: changed routes outbound\/orders\n/);
  assert.doesNotMatch(plan.out, /other/);
  assert.match(await inForce(folder), /file .*weft\.yaml/);
  const applied = await weft(folder, 'apply', 'next.yaml');
  assert.equal(applied.code, 0, applied.errors);
  const hash = /^([0-9a-f]{16}) is in force/.exec(applied.out)?.[1] ?? assert.fail(applied.out);
  await first.kill();

  const second = await start(t, folder);
  assert.match(second.said(), /beside the files goes on/);
  assert.match(await inForce(folder), new RegExp(`^\\* +${hash} .* apply .*@`));
  await writeFile(join(folder, 'weft.yaml'), MESH.replace('9090', '9091'));
  await eventually(() => second.said().includes('configuration in force'));
  assert.match(await inForce(folder), /file .*weft\.yaml/);
  await second.kill();

  const third = await start(t, folder);
  assert.match(await inForce(folder), /file .*weft\.yaml/);
  const back = await weft(folder, 'rollback', hash.slice(0, 8));
  assert.equal(back.code, 0, back.errors);
  assert.match(await inForce(folder), new RegExp(`^\\* +${hash} .* rollback`));
  await third.kill();
  const audit = (await readFile(join(folder, '.weft/control-plane/store/audit.jsonl'), 'utf8')).trimEnd().split('\n');
  const actions = audit.map((line) => (JSON.parse(line) as { entry: { action: string } }).entry.action);
  assert.deepEqual(actions, ['file', 'apply', 'file', 'rollback']);
});

test('what is wrong changes nothing and is said with its place; a comment changes nothing either', async (t) => {
  const folder = await makeFolder(t);
  const plane = await start(t, folder);
  const before = await inForce(folder);
  await writeFile(join(folder, 'bad.yaml'), MESH.replace('calls: [orders]', 'calls: [ordes], prt: 1'));
  const bad = await weft(folder, 'apply', 'bad.yaml');
  assert.equal(bad.code, 1);
  assert.match(bad.errors, /^bad\.yaml:4:30: error: services\.web\.calls\[0\]: .*\(did you mean "orders"\?\)$/m);
  assert.match(bad.errors, /^bad\.yaml:4:38: error: services\.web\.prt/m);
  const missing = await weft(folder, 'apply', 'nowhere.yaml');
  assert.match(missing.errors, /^nowhere\.yaml:1:1: error: the file does not exist/);
  const unknown = await weft(folder, 'rollback', 'ffffffff');
  assert.equal(unknown.code, 1);
  assert.match(unknown.errors, /begins with 'ffffffff'; there is:\n.*SNAPSHOT.*\n\* +[0-9a-f]{16} /);
  await writeFile(join(folder, 'weft.yaml'), `# a comment\n${MESH}`);
  await eventually(() => plane.said().includes('the edit changes nothing'));
  const same = await weft(folder, 'plan');
  assert.match(same.out, /^nothing would change: [0-9a-f]{16} says the same\n$/);
  assert.equal(await inForce(folder), before);
  await plane.kill();
  const away = await weft(folder, 'plan');
  assert.equal(away.code, 1);
  assert.match(away.errors, /^weft: the control plane cannot be reached: none runs at .*api\.sock.*\n$/);
  const offline = await weft(folder, 'plan', 'bad.yaml', '--from', 'weft.yaml', '--json');
  assert.deepEqual([offline.code, (JSON.parse(offline.out) as { kind: string }).kind], [1, 'invalid']);
});

test('a second control plane on the same folder ends with one line and leaves the history as it is', async (t) => {
  const folder = await makeFolder(t);
  const first = await start(t, folder);
  await writeFile(join(folder, 'other.yaml'), MESH.replace('2s', '3s'));
  const history = await weft(folder, 'get', 'snapshots');
  const second = await weft(folder, 'control-plane', '--config', 'other.yaml', ...ANY_PORTS);
  assert.equal(second.code, 1);
  assert.match(
    second.errors,
    /^weft: the state folder is in use: another control plane runs on \S+ \(stop it, or give this one another --state-dir\)\n$/,
  );
  assert.deepEqual(await weft(folder, 'get', 'snapshots'), history);
  // What a killed one leaves keeps nobody out.
  await first.kill();
  const third = await start(t, folder);
  assert.deepEqual(await weft(folder, 'get', 'snapshots'), history);
  await third.kill();
});

test('a damaged store says what it did, and the control plane starts', async (t) => {
  const folder = await makeFolder(t);
  const first = await start(t, folder);
  await writeFile(join(folder, 'next.yaml'), MESH.replace('2s', '3s'));
  assert.equal((await weft(folder, 'apply', 'next.yaml')).code, 0);
  await first.kill();
  const store = join(folder, '.weft/control-plane/store');
  await truncate(join(store, 'in-force.state'), 40);
  await truncate(join(store, 'audit.jsonl'), 100);
  const second = await start(t, folder);
  assert.match(second.said(), /in-force\.state is damaged: the one before it is used/);
  assert.match(await inForce(folder), /file .*weft\.yaml/);
  await eventually(() => second.said().includes('the last line was torn'));
});

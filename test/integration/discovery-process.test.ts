import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { initAuthority } from '../../certs/authority/authority-folder.ts';
import { readChildMessage, type ChildMessage } from '../../host/ipc.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../control-plane/main.ts', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../../examples/shop/weft.yaml', import.meta.url));
const ANY_PORTS = ['--discovery', '127.0.0.1:0', '--join', '127.0.0.1:0', '--status', '127.0.0.1:0'];

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  // Edge ports of its own, as the example may be running.
  const example = await readFile(EXAMPLE, 'utf8');
  await writeFile(join(folder, 'weft.yaml'), example.replaceAll(/port: 8443|port: 8080(?=, address)/g, 'port: 0'));
  const ambient = { clock: () => Date.now(), random: (size: number) => randomBytes(size) };
  await initAuthority(join(folder, '.weft', 'ca'), { ...ambient, trustDomain: 'shop.test' });
  return folder;
}

function start(t: TestContext, folder: string, args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  t.after(() => child.kill('SIGKILL'));
  const messages: ChildMessage[] = [];
  child.on('message', (value) => {
    const message = readChildMessage(value);
    if (message !== null) messages.push(message);
  });
  assert.ok(child.stdout !== null && child.stderr !== null);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  // Whole lines only; each is one object of the log.
  const lines = () =>
    output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const stderr = text(child.stderr);
  const ended = once(child, 'exit').then(([code]: unknown[]) => code);
  return { child, messages, lines, stderr, ended };
}

test('the process reports its real ports, then that it is ready, and stops cleanly on SIGTERM', async (t) => {
  const { child, messages, ended, stderr } = start(t, await makeFolder(t), ANY_PORTS);
  await eventually(() => messages.some(({ kind }) => kind === 'ready'));
  const [listening] = messages;
  assert.ok(listening?.kind === 'listening');
  assert.deepEqual(
    listening.ports.map(({ name, port }) => [name, port > 0]),
    [
      ['discovery', true],
      ['join', true],
      ['status', true],
    ],
  );
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
  assert.equal(await stderr, '');
});

test('a process whose parent has gone stops by itself', async (t) => {
  const { child, messages, ended } = start(t, await makeFolder(t), ANY_PORTS);
  await eventually(() => messages.some(({ kind }) => kind === 'ready'));
  child.disconnect();
  assert.equal(await ended, 0);
});

test('--edge keeps that edge running beside the control plane, and takes it along when it stops', async (t) => {
  const folder = await makeFolder(t);
  const config = await readFile(join(folder, 'weft.yaml'), 'utf8');
  await writeFile(join(folder, 'weft.yaml'), config.replace('edges:\n  main:\n', 'edges:\n  main:\n    workers: 2\n'));
  const { child, messages, ended, lines } = start(t, folder, [...ANY_PORTS, '--edge', 'main']);
  await eventually(() => messages.some(({ kind }) => kind === 'ready'));
  const pid = () =>
    lines()
      .flatMap(({ edgePid }) => (typeof edgePid === 'number' ? [edgePid] : []))
      .at(-1);
  await eventually(() => lines().some(({ message }) => message === 'edge ready'));
  const first = pid() ?? assert.fail();
  const { stdout: command } = await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(first)]);
  assert.match(command, / --workers 2\b/);
  process.kill(first, 'SIGKILL');
  await eventually(() => pid() !== first && lines().filter(({ message }) => message === 'edge ready').length === 2);
  const second = pid() ?? assert.fail();
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
  assert.throws(() => process.kill(second, 0), /ESRCH/);
});

test('a port in use is one line and exit code 1', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  // It listens on TCP: the address is an object.
  const { port } = taken.address() as AddressInfo;
  const line = new RegExp(`^weft: the port is in use: 127\\.0\\.0\\.1:${port} \\(.*\\)\n$`);
  const said = ['--discovery', '--join', '--status'].map(async (flag) => {
    const { ended, stderr } = start(t, await makeFolder(t), [...ANY_PORTS, flag, `127.0.0.1:${port}`]);
    assert.equal(await ended, 1, flag);
    assert.match(await stderr, line, flag);
  });
  await Promise.all(said);
});

test('a missing authority, a missing file and an unknown edge are one line each', async (t) => {
  const said = async (...args: string[]) => {
    const { ended, stderr } = start(t, await makeFolder(t), [...ANY_PORTS, ...args]);
    assert.notEqual(await ended, 0);
    const lines = (await stderr).trimEnd().split('\n');
    assert.equal(lines.length, 1, lines.join('\n'));
    return lines[0] ?? '';
  };
  await Promise.all([
    said('--ca-dir', 'nowhere').then((line) => assert.match(line, /^weft: there is no certificate .*weft ca init/)),
    said('--config', 'nope.yaml').then((line) => assert.match(line, /^weft: the config.*nope\.yaml:1:1: .*not exist/)),
    said('--edge', 'mian').then((line) => assert.match(line, /^weft: .*no edge "mian".*did you mean main\?/)),
    said('--confg', 'x').then((line) => assert.match(line, /^weft: .*unknown option --confg.*mean --config\?/)),
  ]);
});

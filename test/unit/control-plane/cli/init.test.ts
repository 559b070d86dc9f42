import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runInit, STARTER } from '../../../../control-plane/cli/init.ts';
import { parseConfig } from '../../../../core/config/parse.ts';
import { MeshError } from '../../../../core/kit/error.ts';
import { eventually } from '../../../support/eventually.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

test('init writes a configuration that is valid without a warning', async (context) => {
  const dir = join(await temporaryFolder(context), 'new');
  const lines: string[] = [];
  assert.equal(await runInit({ dir, force: false }, (line) => lines.push(line)), 0);
  assert.deepEqual(lines, [`wrote ${join(dir, 'weft.yaml')}`, 'next: weft up']);
  const parsed = parseConfig([{ name: 'weft.yaml', text: await readFile(join(dir, 'weft.yaml'), 'utf8') }]);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  assert.deepEqual(parsed.value.warnings, []);
});

test('init leaves a file that is there alone, unless it is forced', async (context) => {
  const dir = await temporaryFolder(context);
  const path = join(dir, 'weft.yaml');
  await writeFile(path, 'mine');
  const lines: string[] = [];
  assert.equal(await runInit({ dir, force: false }, (line) => lines.push(line)), 1);
  assert.deepEqual(lines, [`error: ${path} is there already (--force writes over it)`]);
  assert.equal(await readFile(path, 'utf8'), 'mine');
  assert.equal(await runInit({ dir, force: true }, () => {}), 0);
  assert.equal(await readFile(path, 'utf8'), STARTER);
  assert.deepEqual(await readdir(dir), ['weft.yaml']);
});

test('a folder that cannot be made is one clear error', async (context) => {
  const file = join(await temporaryFolder(context), 'file');
  await writeFile(file, '');
  await chmod(file, 0o600);
  await assert.rejects(
    runInit({ dir: join(file, 'inner'), force: false }, () => {}),
    (error) => {
      return error instanceof MeshError && error.code === 'file-unreadable';
    },
  );
});

/** Starts the command of a service as `weft up` does: by a shell, with PORT, HOST and a URL per callee. */
async function startService(context: TestContext, name: string, env: Record<string, string>): Promise<number> {
  const parsed = parseConfig([{ name: 'weft.yaml', text: STARTER }]);
  const service = parsed.ok ? parsed.value.mesh.services.get(name) : undefined;
  assert.ok(service?.kind === 'workload' && service.run !== null);
  const port = await freePort();
  const child = spawn('/bin/sh', ['-c', service.run], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env, PORT: String(port), HOST: '127.0.0.1' },
  });
  context.after(() => child.pid !== undefined && process.kill(-child.pid));
  return port;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('the services of the starter run in an empty folder and call each other by variable', async (context) => {
  const hello = await startService(context, 'hello', {});
  const web = await startService(context, 'web', { HELLO_URL: `http://127.0.0.1:${hello}` });
  const answer = await eventually(async () => {
    const text = await (await fetch(`http://127.0.0.1:${web}/a?b=1`)).text();
    return text.includes('hello from process') ? text : '';
  });
  assert.match(answer, /^web asked hello, and hello said: hello from process \d+, trace undefined\n$/);
});

import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runComposeInit } from '../../../../../control-plane/cli/compose-init/compose-init.ts';
import { findToken, useToken } from '../../../../../certs/token/token-store.ts';
import { parseToken } from '../../../../../certs/token/token-text.ts';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';

const TEXT = `version: 1
mesh: { trustDomain: shop.test }
services:
  orders: { port: 8080, versions: { v1: {}, v2: {} } }
edges:
  main: { listeners: [{ port: 8081 }], routes: [{ match: /**, to: orders }] }
`;
const MEMBERS = ['orders-1=orders@v1', 'edge-main=edge:main'];

async function setUp(context: TestContext) {
  const folder = await temporaryFolder(context);
  const config = join(folder, 'weft.yaml');
  await writeFile(config, TEXT);
  const stateDir = join(folder, 'control-plane');
  const run = async (members: readonly string[] = MEMBERS, ttl = 3_600_000) => {
    const lines: string[] = [];
    const args = { config: [config], caDir: join(stateDir, 'ca'), stateDir, ttl, members };
    const taken: string[] = [];
    const code = await runComposeInit(
      { ...args, instances: join(folder, 'instances') },
      async (folders) => void taken.push(...folders),
      (line) => lines.push(line),
    );
    return { code, lines, taken };
  };
  const tokenPath = (instance: string): string => join(folder, 'instances', instance, 'token');
  const grantOf = async (instance: string) => {
    const token = parseToken(await readFile(tokenPath(instance), 'utf8'));
    assert.ok(token.ok);
    const grant = await findToken({ stateDir, clock: Date.now }, token.value);
    assert.ok(grant.ok);
    return grant.value;
  };
  return { folder, config, stateDir, run, tokenPath, grantOf };
}

test('the first run makes the authority, and a token for each instance in a folder of its own', async (context) => {
  const { folder, run, tokenPath, grantOf } = await setUp(context);
  const { code, lines, taken } = await run();
  assert.equal(code, 0);
  assert.deepEqual(lines, ['made the authority of shop.test', 'orders-1: got a token', 'edge-main: got a token']);
  assert.deepEqual(
    taken.map((path) => path.slice(folder.length)),
    ['/control-plane', '/control-plane', '/instances/orders-1', '/instances/edge-main'],
  );
  const { account, version, instance, uses } = await grantOf('orders-1');
  assert.deepEqual([account, version, instance, uses], ['orders', 'v1', 'orders-1', 1]);
  assert.equal((await grantOf('edge-main')).account, 'edge-main');
  assert.equal((await stat(tokenPath('orders-1'))).mode & 0o777, 0o600);
  assert.equal((await stat(join(folder, 'instances/orders-1'))).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(join(folder, 'instances/orders-1')), ['token']);
});

test('another run changes nothing that is good', async (context) => {
  const { run, tokenPath } = await setUp(context);
  await run();
  const before = await readFile(tokenPath('orders-1'), 'utf8');
  assert.deepEqual((await run()).lines, ['orders-1: has a token to join with', 'edge-main: has a token to join with']);
  assert.equal(await readFile(tokenPath('orders-1'), 'utf8'), before);
});

test('a token that is used, expired, for another version or no token at all is replaced', async (context) => {
  const { stateDir, run, tokenPath, grantOf } = await setUp(context);
  await run();
  assert.ok((await useToken({ stateDir }, await grantOf('orders-1'), 'a key')).ok);
  assert.equal((await run()).lines[0], 'orders-1: got a token');
  assert.equal((await run(['orders-1=orders@v2'])).lines[0], 'orders-1: got a token');
  assert.equal((await grantOf('orders-1')).version, 'v2');
  await writeFile(tokenPath('orders-1'), 'weft1.nonsense\n');
  assert.equal((await run(['orders-1=orders@v2'], 1)).lines[0], 'orders-1: got a token');
  assert.equal((await run(['orders-1=orders@v2'])).lines[0], 'orders-1: got a token');
});

test('a configuration that is not valid is reported, and nothing is made', async (context) => {
  const { config, stateDir, run } = await setUp(context);
  await writeFile(config, 'version: 1\nservices: { web: { prot: 1 } }\n');
  const { code, lines } = await run();
  assert.equal(code, 1);
  assert.match(lines.join('\n'), /weft\.yaml:2:\d+: error: services\.web\.prot/);
  await assert.rejects(stat(stateDir), { code: 'ENOENT' });
});

test('an authority of another trust domain is not used, and not replaced', async (context) => {
  const { config, stateDir, run } = await setUp(context);
  await run();
  const root = await readFile(join(stateDir, 'ca/root.pem'), 'utf8');
  await writeFile(config, TEXT.replace('shop.test', 'other.test'));
  await assert.rejects(run(), {
    code: 'usage',
    detail: `${join(stateDir, 'ca')} is the authority of shop.test, the configuration says other.test`,
  });
  assert.equal(await readFile(join(stateDir, 'ca/root.pem'), 'utf8'), root);
});

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runHosts } from '../../../../control-plane/cli/hosts.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const SHOP = `version: 1
services:
  web: { port: 3000, calls: [orders, legacy, spread] }
  orders: { port: 8080, calls: [payments] }
  payments: { port: 8082 }
  nightly: { run: node nightly.js, calls: [payments] }
  legacy: { endpoints: ["10.0.0.5:9000", "10.0.0.6:9000"] }
  spread: { endpoints: ["10.0.0.5:9000", "10.0.0.6:9001"] }
`;

async function hosts(t: TestContext, text: string, service: string | null = null, json = false) {
  const file = join(await temporaryFolder(t), 'weft.yaml');
  await writeFile(file, text);
  const lines: string[] = [];
  const errors: string[] = [];
  const out = (line: string) => lines.push(line);
  const code = await runHosts({ file, service, json }, out, (line) => errors.push(line));
  return { code, lines, errors, file };
}

test('every service that a name can lead to has a line; a job and endpoints on several ports have none', async (t) => {
  const { code, lines } = await hosts(t, SHOP);
  assert.equal(code, 0);
  assert.deepEqual(
    lines.map((line) => line.split(' ')[1]),
    ['legacy', 'orders', 'payments', 'web'],
  );
  assert.ok(lines.includes('127.15.116.43 payments'));
});

test('--service prints what that service calls', async (t) => {
  assert.deepEqual((await hosts(t, SHOP, 'orders')).lines, ['127.15.116.43 payments']);
  assert.deepEqual((await hosts(t, SHOP, 'payments')).lines, []);
  assert.deepEqual((await hosts(t, SHOP, 'legacy')).lines, []);
  await assert.rejects(hosts(t, SHOP, 'order'), { code: 'usage', detail: "there is no service 'order'" });
});

test('--json has the port too', async (t) => {
  const { lines } = await hosts(t, SHOP, 'orders', true);
  assert.deepEqual(JSON.parse(lines.join('\n')), {
    hosts: [{ address: '127.15.116.43', name: 'payments', port: 8082 }],
  });
});

test('a file that is not valid is 1, and prints no lines but its errors apart', async (t) => {
  const { code, lines, errors, file } = await hosts(t, 'version: 1\nservices: { web: { port: x } }\n');
  assert.equal(code, 1);
  assert.deepEqual(lines, []);
  assert.match(errors.join('\n'), new RegExp(`^${file}:2:\\d+: error: services.web.port`));
});

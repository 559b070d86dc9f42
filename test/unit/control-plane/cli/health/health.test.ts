import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { askHealth } from '../../../../../control-plane/cli/health/health.ts';
import { startStatusServer, text } from '../../../../../host/admin.ts';

async function statusPort(context: TestContext, status: number): Promise<string> {
  const answer = () => text(status === 200 ? 'ready' : 'waiting for: configuration', status);
  const server = await startStatusServer({ host: '127.0.0.1', port: 0 }, { '/readyz': answer });
  context.after(() => server.close());
  return `0.0.0.0:${server.port}`;
}

test('ready is what the program says of itself', async (context) => {
  const ready = await askHealth({ WEFT_STATUS: await statusPort(context, 200) });
  assert.deepEqual([ready.ready, ready.said], [true, 'ready']);
  const waiting = await askHealth({ WEFT_STATUS: await statusPort(context, 503) });
  assert.deepEqual([waiting.ready, waiting.said], [false, 'waiting for: configuration']);
});

test('where nobody listens it is not ready, and says so', async () => {
  const server = await startStatusServer({ host: '127.0.0.1', port: 0 }, {});
  await server.close();
  const { ready, said } = await askHealth({ WEFT_STATUS: `:${server.port}` });
  assert.equal(ready, false);
  assert.match(said, new RegExp(`^nothing listens on 127\\.0\\.0\\.1:${server.port} .*WEFT_STATUS`));
});

test('what speaks no HTTP, and what never ends, is not ready', async (context) => {
  for (const [answer, said] of [
    ['220 mail\r\n', /does not speak HTTP$/],
    ['x'.repeat(70_000), /does not speak like Weft$/],
  ] as const) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(answer);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    context.after(() => server.close());
    const health = await askHealth({ WEFT_STATUS: `:${(server.address() as AddressInfo).port}` });
    assert.equal(health.ready, false);
    assert.match(health.said, said);
  }
});

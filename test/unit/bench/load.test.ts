import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { OpenLoopReport, OpenLoopSpec } from '../../../bench/load/open-loop.ts';
import { eventually } from '../../support/eventually.ts';
import { closedPort } from '../../support/http-peers.ts';

const BENCH = fileURLToPath(new URL('../../../bench/', import.meta.url));

function run(t: TestContext, file: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [`${BENCH}${file}`, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    if (child.exitCode !== null || !child.kill()) return;
    await once(child, 'exit');
  });
  return child;
}

async function openLoop(t: TestContext, spec: Partial<OpenLoopSpec>): Promise<OpenLoopReport> {
  const whole = { host: '127.0.0.1', authority: 'a', path: '/', connections: 4, streams: 10, rate: 200, seconds: 1 };
  const child = run(t, 'load/open-loop-main.ts', JSON.stringify({ ...whole, ...spec }));
  let text = '';
  for await (const chunk of child.stdout ?? []) text += String(chunk);
  return JSON.parse(text) as OpenLoopReport;
}

test('a stall counts against every request that was due while it lasted', async (t) => {
  let served = 0;
  const server = createServer((_, response) => {
    served += 1;
    // Most of a second on each of the four connections, once, after the part that does not count.
    const late = served > 150 && served <= 154 ? 700 : 0;
    setTimeout(() => response.end('x'), late);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  const report = await openLoop(t, { protocol: 'http1', port: (server.address() as AddressInfo).port });
  assert.equal(report.failures, 0);
  // Four of two hundred requests were slow to serve; two in three were late.
  assert.ok(report.p99Ms > 400, `p99 ${report.p99Ms}`);
  assert.ok(report.p50Ms > 100, `p50 ${report.p50Ms}`);
});

test("the upstream speaks HTTP/2 as Node's client understands it, and the generator understands the upstream", async (t) => {
  const port = await closedPort();
  run(t, 'upstream/http2.ts', String(port), 'grpc');
  const report = await eventually(() => openLoop(t, { protocol: 'grpc', port, seconds: 0.2 }).catch(() => null));
  assert.equal(report?.failures, 0);
  assert.equal(report?.requests, 140);
  const session = connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  for (let i = 0; i < 3; i++) {
    const stream = session.request({ ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' });
    stream.end('hello');
    const trailers = once(stream, 'trailers');
    const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
    stream.resume();
    assert.equal(head['content-type'], 'application/grpc');
    const [fields] = (await trailers) as [Record<string, unknown>];
    assert.equal(fields['grpc-status'], '0');
  }
});

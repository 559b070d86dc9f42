// All of h2spec, strict cases too, against an edge: in plaintext by prior knowledge, and over TLS.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, before, test } from 'node:test';
import { startUpstream } from '../support/http-peers.ts';
import { edgeView, startProxy } from '../support/proxy-harness.ts';
import { makeTestAuthority } from '../support/test-authority.ts';
import { goTool } from './go-tool.ts';

/** Cases of this version: fewer would mean that some were not run. */
const CASES = 146;

let program = '';

before(async () => {
  program = await goTool('h2spec', 'github.com/summerwind/h2spec/cmd/h2spec');
});

async function upstreamPort(t: TestContext): Promise<number> {
  const { port } = await startUpstream(t, (incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.end('an answer of some bytes'));
  });
  return port;
}

/** What it says on its standard output; it ends with a count. */
function h2spec(port: number, options: readonly string[] = []): Promise<string> {
  const given = ['--strict', '--host', '127.0.0.1', '--port', String(port), '--timeout', '5', ...options];
  return new Promise((done, fail) => {
    execFile(program, given, { timeout: 120_000, maxBuffer: 16_777_216 }, (error, stdout) => {
      // 1: some case failed, which the text tells better.
      if (error !== null && error.code !== 1) fail(error);
      else done(stdout);
    });
  });
}

function assertAllPassed(said: string): void {
  const failures = said.includes('Failures:') ? said.slice(said.indexOf('Failures:')) : '';
  assert.equal(failures, '');
  assert.match(said, new RegExp(`${CASES} tests, ${CASES} passed, 0 skipped, 0 failed`));
}

test('h2spec in plaintext: every case passes', async (t) => {
  const edge = await startProxy(t, { view: edgeView([await upstreamPort(t)]) });
  assertAllPassed(await h2spec(edge.port()));
});

test('h2spec over TLS: every case passes', async (t) => {
  const certificate = await (await makeTestAuthority()).svid('edge');
  const edge = await startProxy(t, { view: edgeView([await upstreamPort(t)], { tls: 'internal' }), certificate });
  assertAllPassed(await h2spec(edge.port(), ['--tls', '--insecure']));
});

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { execPath } from 'node:process';
import { describe, it } from 'node:test';
import { readChildMessage } from '../../../host/ipc.ts';
import {
  appEnvironment,
  calleeVariables,
  portVariable,
  PROXY_NODE_FLAGS,
  proxyEnvironment,
} from '../../../host/node-flags.ts';
import { watchStopSignals } from '../../../host/signals.ts';

const HOST = new URL('../../../host/', import.meta.url);

function run(code: string, options: { ipc?: boolean } = {}): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
  });
}

async function output(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const read = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (read.stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (read.stderr += String(chunk)));
  // Not 'close': Node never emits it where the parent itself has disconnected the channel.
  const [code] = (await once(child, 'exit')) as [number | null];
  await Promise.all(
    [child.stdout, child.stderr].map(async (stream) => stream?.readableEnded || once(stream ?? child, 'end')),
  );
  return { code, ...read };
}

describe('stop signals', () => {
  it('ask to stop in order first and at once the second time', () => {
    const target = new EventEmitter();
    const signals = watchStopSignals(target);
    target.emit('SIGTERM');
    assert(signals.stop.aborted && !signals.now.aborted);
    assert.equal(signals.stop.reason, 'SIGTERM');
    target.emit('SIGINT');
    assert(signals.now.aborted);
    signals.close();
    assert.equal(target.listenerCount('SIGTERM') + target.listenerCount('SIGINT'), 0);
  });
});

describe('environments', () => {
  it('give a proxy its allocator settings and an app none of them', () => {
    const proxy = proxyEnvironment({ PATH: '/bin', WEFT_TOKEN: 'hush', UV_THREADPOOL_SIZE: '8' });
    assert.equal(proxy['MALLOC_ARENA_MAX'], '1');
    assert.equal(proxy['UV_THREADPOOL_SIZE'], '8');
    assert.deepEqual(appEnvironment(proxy), { PATH: '/bin', UV_THREADPOOL_SIZE: '8' });
  });

  it('name the variables of a callee after it', () => {
    assert.deepEqual(calleeVariables('user-db.v2', { host: '127.0.0.1', port: 1 }, false), {
      USER_DB_V2_URL: 'http://127.0.0.1:1',
      USER_DB_V2_ADDRESS: '127.0.0.1:1',
    });
    assert.deepEqual(calleeVariables('kv:tcp', { host: '::1', port: 2 }, true), {
      KV_TCP_URL: 'tcp://[::1]:2',
      KV_TCP_ADDRESS: '[::1]:2',
      KV_TCP_HOST: '::1',
      KV_TCP_PORT: '2',
    });
    assert.deepEqual(['', 'grpc', 'grpc-web'].map(portVariable), ['PORT', 'PORT_GRPC', 'PORT_GRPC_WEB']);
  });
});

describe('a child process', () => {
  it('reports to its parent, and notices when it is gone', async () => {
    const child = run(
      `import { onParentGone, reportToParent } from '${new URL('ipc.ts', HOST).href}';
       onParentGone(() => { console.log('alone'); process.exit(3); });
       reportToParent({ kind: 'ready' });
       setInterval(() => {}, 1000);`,
      { ipc: true },
    );
    const ended = output(child);
    const [message] = (await once(child, 'message')) as [unknown];
    assert.deepEqual(readChildMessage(message), { kind: 'ready' });
    child.disconnect();
    assert.deepEqual(await ended, { code: 3, stdout: 'alone\n', stderr: '' });
  });

  it('is not kept alive by listening for its parent, and reports to nobody in peace', async () => {
    const code = `import { onParentGone, reportToParent } from '${new URL('ipc.ts', HOST).href}';
      onParentGone(() => {}); reportToParent({ kind: 'ready' });`;
    assert.equal((await output(run(code, { ipc: true }))).code, 0);
    assert.equal((await output(run(code))).code, 0);
  });

  it('ends on an error with one line and no trace', async () => {
    const code = (thrown: string) =>
      `import { exitOnUncaught } from '${new URL('exit.ts', HOST).href}';
       import { MeshError } from '${new URL('../core/kit/error.ts', HOST).href}';
       exitOnUncaught(); await null; ${thrown}`;
    const usage = await output(run(code(`throw new MeshError('usage', { detail: 'what', hint: 'try' });`)));
    assert.deepEqual(usage, { code: 2, stdout: '', stderr: 'weft: the command line is not valid: what (try)\n' });
    const fault = await output(run(code(`setTimeout(() => { throw new Error('odd') });`)));
    assert.deepEqual(fault, { code: 1, stdout: '', stderr: 'weft: odd\n' });
  });

  it('becomes a proxy with the same pid and the flags', async () => {
    const child = run(
      `import { becomeProxy } from '${new URL('exec.ts', HOST).href}';
       becomeProxy('${new URL('../../support/print-self.ts', import.meta.url).pathname}', ['sidecar', '--x']);`,
    );
    const { stdout } = await output(child);
    const self = JSON.parse(stdout) as { pid: number; flags: string[]; args: string[]; arena: string };
    assert.deepEqual(self, { pid: child.pid, flags: [...PROXY_NODE_FLAGS], args: ['sidecar', '--x'], arena: '1' });
  });
});

describe('the flags of a proxy', () => {
  it('leave hot code alone until there is something to serve, and compile it from then on', async () => {
    const code = `import { startOptimizing } from '${new URL('node-flags.ts', HOST).href}';
      let sum = 0;
      function hot(n) { for (let i = 0; i < n; i++) sum = (sum + (i ^ 7)) | 0; }
      function run() { for (let i = 0; i < 2_000; i++) hot(1_000); }
      run();
      console.log('serving');
      startOptimizing();
      run();`;
    const flags = [...PROXY_NODE_FLAGS, '--trace-opt'];
    const child = spawn(execPath, [...flags, '--input-type=module', '-e', code], { stdio: 'pipe' });
    const [before = '', after = ''] = (await output(child)).stdout.split('serving');
    assert.doesNotMatch(before, /compiling method/);
    assert.match(after, /compiling method .*\bhot\b/);
  });
});

describe('messages', () => {
  it('that are not ours are none', () => {
    for (const value of [null, 1, 'ready', {}, { kind: 'other' }]) assert.equal(readChildMessage(value), null);
  });
});

// proxy/main.ts as a process of its own, in a folder of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type BoundPort, readChildMessage } from '../../host/ipc.ts';
import { eventually } from './eventually.ts';

const MAIN = join(import.meta.dirname, '../../proxy/main.ts');

export interface ProxyProcess {
  readonly child: ChildProcess;
  output(): string;
  errors(): string;
  /** JSON lines with this message. */
  logged(message: string): readonly Readonly<Record<string, unknown>>[];
  port(name: string): Promise<number>;
  readonly ready: Promise<void>;
  readonly exited: Promise<number>;
}

/** With an IPC channel, as `weft up` starts it; killed after the test. */
export function startProxyProcess(test: TestContext, cwd: string, args: readonly string[]): ProxyProcess {
  return startProgram(test, MAIN, cwd, args);
}

/** Any program of ours that reports its ports and that it is ready. */
export function startProgram(
  test: TestContext,
  main: string,
  cwd: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): ProxyProcess {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WEFT_')));
  const env = { ...own, ...more };
  const child = spawn(process.execPath, [main, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let output = '';
  let errors = '';
  let ports: readonly BoundPort[] = [];
  const ready = Promise.withResolvers<void>();
  child.stdout?.on('data', (data: Buffer) => {
    output += data.toString();
  });
  child.stderr?.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  child.on('message', (value) => {
    const message = readChildMessage(value);
    if (message?.kind === 'listening') ports = message.ports;
    if (message?.kind === 'ready') ready.resolve();
  });
  // With the streams: what it printed last counts. (`close` does not come where the channel was closed first.)
  const exited = Promise.all([
    new Promise<number>((done) => {
      child.on('exit', (code, signal) => done(code ?? (signal === null ? 1 : 128)));
    }),
    ended(child.stdout),
    ended(child.stderr),
  ]).then(([code]) => code);
  // Whoever waits for a process that ended instead is told why.
  void exited.then((code) => ready.reject(new Error(`it ended with ${code}: ${errors}`)));
  ready.promise.catch(() => {});
  test.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  return {
    child,
    output: () => output,
    errors: () => errors,
    logged: (message) =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((line) => line['message'] === message),
    port: (name) => eventually(() => ports.find((bound) => bound.name === name)?.port),
    ready: ready.promise,
    exited,
  };
}

function ended(stream: NodeJS.ReadableStream | null): Promise<void> {
  return new Promise((done) => {
    if (stream === null) done();
    else stream.on('end', () => done());
  });
}

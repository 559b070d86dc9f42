import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OrphanGuard } from '../../../../../control-plane/cli/up/orphan-guard.ts';
import { RestartDelay } from '../../../../../control-plane/cli/up/restart-delay.ts';
import { type ProcessEvents, type ProcessSpec, Supervised } from '../../../../../control-plane/cli/up/supervised.ts';
import { eventually } from '../../../../support/eventually.ts';

interface Seen extends ProcessEvents {
  readonly pids: number[];
  readonly lines: string[];
  readonly ends: [how: string, restartIn: number | null][];
}

function watcher(): Seen {
  const seen: Seen = {
    pids: [],
    lines: [],
    ends: [],
    onStart: (_, pid) => void seen.pids.push(pid),
    onLine: (_, line) => void seen.lines.push(line),
    onMessage: () => {},
    onEnd: (_, __, how, restartIn) => void seen.ends.push([how, restartIn]),
  };
  return seen;
}

function shell(script: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
  return {
    name: 'x',
    role: 'app',
    program: '/bin/sh',
    args: ['-c', script],
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    ipc: false,
    job: false,
    ...more,
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the wait before a restart', () => {
  it('doubles from a second to thirty, and begins anew after a stable minute', () => {
    const delay = new RestartDelay();
    assert.deepEqual(
      Array.from({ length: 7 }, () => delay.next(100)),
      [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000],
    );
    assert.equal(delay.next(60_000), 1_000);
    assert.equal(delay.next(59_999), 2_000);
  });
});

describe('a supervised process', () => {
  it('is started again after it was killed', async () => {
    const seen = watcher();
    const child = new Supervised(shell('echo one; exec sleep 60'), seen);
    child.start();
    await eventually(() => seen.lines.length === 1);
    process.kill(child.pid ?? 0, 'SIGKILL');
    await eventually(() => seen.lines.length === 2);
    assert.deepEqual(seen.ends, [['was killed by SIGKILL', 1_000]]);
    assert.notEqual(seen.pids[0], seen.pids[1]);
    await child.stop(1_000);
    assert.deepEqual(seen.ends.at(-1), ['was killed by SIGTERM', null]);
    assert.equal(child.pid, null);
  });

  it('is done where it is a job that ended well, and not where it failed', async () => {
    const done = watcher();
    new Supervised(shell('exit 0', { job: true }), done).start();
    const failed = watcher();
    const job = new Supervised(shell('exit 3', { job: true }), failed);
    job.start();
    await eventually(() => done.ends.length + failed.ends.length === 2);
    assert.deepEqual(done.ends, [['ended with 0', null]]);
    assert.deepEqual(failed.ends, [['ended with 3', 1_000]]);
    await job.stop(0);
  });

  it('is killed with all that it started where it does not stop in time', async () => {
    const seen = watcher();
    const child = new Supervised(shell(`trap '' TERM; sleep 60 & echo $!; wait; wait`), seen);
    child.start();
    await eventually(() => seen.lines.length === 1);
    const grandchild = Number(seen.lines[0]);
    assert(isAlive(grandchild));
    await child.stop(50);
    await eventually(() => !isAlive(grandchild));
    assert.deepEqual(seen.ends, [['was killed by SIGKILL', null]]);
  });

  it('takes what it started along when it dies', async () => {
    const seen = watcher();
    const child = new Supervised(shell('sleep 60 & echo $!; exec sleep 60'), seen);
    child.start();
    await eventually(() => seen.lines.length === 1);
    process.kill(child.pid ?? 0, 'SIGKILL');
    await eventually(() => !isAlive(Number(seen.lines[0])));
    await child.stop(1_000);
  });

  it('says that a program cannot be started', async () => {
    const seen = watcher();
    const child = new Supervised(shell('', { program: '/nowhere/program' }), seen);
    child.start();
    await eventually(() => seen.ends.length === 1);
    assert.match(seen.ends[0]?.[0] ?? '', /could not be started: .*ENOENT/);
    await child.stop(0);
  });

  it('hands on whole lines of both streams, the last one without a break too', async () => {
    const seen = watcher();
    new Supervised(shell(String.raw`printf 'a\nb\r\n'; printf 'c' >&2`, { job: true }), seen).start();
    await eventually(() => seen.lines.length === 3);
    assert.deepEqual(seen.lines.toSorted(), ['a', 'b', 'c']);
  });
});

describe('the orphan guard', () => {
  it('stops what is still listed when its pipe ends, and nothing else', async () => {
    const seen = watcher();
    const listed = new Supervised(shell('exec sleep 60'), seen);
    const removed = new Supervised(shell('exec sleep 60'), seen);
    listed.start();
    removed.start();
    const guard = new OrphanGuard();
    guard.start();
    for (const { pid } of [listed, removed]) guard.add(pid ?? 0);
    guard.remove(removed.pid ?? 0);
    guard.close();
    await eventually(() => seen.ends.length === 1);
    assert(removed.pid !== null && isAlive(removed.pid));
    await Promise.all([listed.stop(0), removed.stop(0)]);
  });
});

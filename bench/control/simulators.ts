// The processes that hold the simulated proxies, seen from the bench.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LOAD_CORE, measure } from '../process.ts';
import { BENCH } from '../results.ts';
import type { ProxyIdentity } from './identities.ts';
import { type Address, now, type Order, type Report } from './messages.ts';

/** Sums over all processes since the last time it was asked for. */
export type Seen = Omit<Report, 'kind' | 'ask'>;

export class Simulators {
  readonly #children: readonly ChildProcess[];
  readonly #home = new Map<string, ChildProcess>();
  #asked = 0;

  /** Each holds a part of the proxies; none is connected yet. */
  constructor(processes: number) {
    const main = join(BENCH, 'control', 'simulator-main.ts');
    const command = ['-c', String(LOAD_CORE), process.execPath, '--max-old-space-size=8192', main];
    this.#children = Array.from({ length: processes }, () =>
      spawn('taskset', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    );
  }

  cost(): { readonly simulatorsCpuMs: number; readonly simulatorsRssMiB: number } {
    const each = this.#children.flatMap(({ pid }) => (pid === undefined ? [] : [measure(pid)]));
    return {
      simulatorsCpuMs: each.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      simulatorsRssMiB: each.reduce((sum, { rssMiB }) => sum + rssMiB, 0),
    };
  }

  start(address: Address, proxies: readonly ProxyIdentity[], movers: readonly string[]): void {
    this.#children.forEach((child, index) => {
      const own = proxies.filter((_, i) => i % this.#children.length === index);
      for (const { instance } of own) this.#home.set(instance, child);
      child.send({ kind: 'start', address, proxies: own, movers } satisfies Order);
    });
  }

  leave(instance: string): void {
    this.#home.get(instance)?.send({ kind: 'leave', instance } satisfies Order);
  }

  join(instance: string, port: number): void {
    this.#home.get(instance)?.send({ kind: 'join', instance, port } satisfies Order);
  }

  async collect(): Promise<Seen> {
    const ask = ++this.#asked;
    const reports = await Promise.all(this.#children.map((child) => reportOf(child, ask)));
    const sum = (of: (report: Report) => number): number => reports.reduce((total, each) => total + of(each), 0);
    return {
      current: sum(({ current }) => current),
      currentAt: Math.max(...reports.map(({ currentAt }) => currentAt)),
      responses: sum(({ responses }) => responses),
      stillResponses: sum(({ stillResponses }) => stillResponses),
      bodies: sum(({ bodies }) => bodies),
      lastAt: Math.max(...reports.map(({ lastAt }) => lastAt)),
      losses: sum(({ losses }) => losses),
      begun: reports.flatMap(({ begun }) => begun),
      arrived: reports.flatMap(({ arrived }) => arrived),
      stall: Math.max(...reports.map(({ stall }) => stall)),
    };
  }

  /** Resolves once all have acknowledged what they were sent: ms since `since`, Infinity where it takes longer; and all that came meanwhile. */
  async allCurrent(
    count: number,
    since: number,
    withinMs: number,
  ): Promise<{ readonly ms: number; readonly seen: Seen }> {
    let sofar: Seen | null = null;
    for (;;) {
      const seen = await this.collect();
      sofar = sofar === null ? seen : added(sofar, seen);
      if (seen.current === count) return { ms: seen.currentAt - since, seen: sofar };
      if (now() - since > withinMs) return { ms: Number.POSITIVE_INFINITY, seen: sofar };
      await delay(100);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = new Promise((done) => child.once('exit', done));
        child.kill('SIGKILL');
        await gone;
      }),
    );
  }
}

function added(a: Seen, b: Seen): Seen {
  return {
    ...b,
    responses: a.responses + b.responses,
    stillResponses: a.stillResponses + b.stillResponses,
    bodies: a.bodies + b.bodies,
    losses: a.losses + b.losses,
    begun: [...a.begun, ...b.begun],
    arrived: [...a.arrived, ...b.arrived],
    stall: Math.max(a.stall, b.stall),
  };
}

function reportOf(child: ChildProcess, ask: number): Promise<Report> {
  return new Promise((done, fail) => {
    const take = (message: Report): void => {
      if (message.ask !== ask) return;
      child.off('message', take).off('exit', ended);
      done(message);
    };
    const ended = (): void => fail(new Error('a process with simulated proxies ended'));
    child.on('message', take).once('exit', ended);
    if (child.exitCode !== null || child.signalCode !== null) return ended();
    child.send({ kind: 'collect', ask } satisfies Order);
  });
}

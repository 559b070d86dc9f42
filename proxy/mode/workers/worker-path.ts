// A data path on several worker threads that share its places. A view is in force when all of them have it; what one
// refuses, all go without.
import { describeError, MeshError } from '../../../core/kit/error.ts';
import type { Log } from '../../../core/kit/log.ts';
import { err, ok, type Result } from '../../../core/kit/result.ts';
import type { View } from '../../../core/model/view.ts';
import type { HeldPort } from '../../accept/port-sharing.ts';
import type { Refusal } from '../../agent/agent.ts';
import type { DenialSink } from '../../telemetry/denials.ts';
import type { MeshMaterial } from '../../tls/material.ts';
import type { ServerCertificates } from '../certificates.ts';
import type { DataPath, PathReport } from '../data-path.ts';
import type { WorkerData } from './contract.ts';
import { countsOf, mergeReports } from './merge.ts';
import { WorkerHandle } from './worker-handle.ts';

export interface WorkerPathOptions {
  readonly count: number;
  readonly entry: string;
  readonly data: WorkerData;
  readonly certificates: ServerCertificates;
  readonly denials: DenialSink;
  readonly log: Log;
  /** Places that another process hands over. */
  readonly held: readonly HeldPort[];
  /** In [0, 1). */
  readonly random: () => number;
}

/** A worker that does not answer for so long is left out of a report, in ms. */
const REPORT_LIMIT = 1_000;
/** Beyond the cap of a drain, for its answer to come; ms. */
const GRACE = 500;
const EMPTY: PathReport = mergeReports([]);

export class WorkerPath implements DataPath {
  readonly #options: WorkerPathOptions;
  readonly #workers: readonly WorkerHandle[];
  readonly #reports = new Map<WorkerHandle, PathReport>();
  /** Sets of hosts that certificates were asked for. */
  readonly #hosts = new Map<string, readonly string[]>();
  #data: WorkerData;
  #view: View | null = null;
  #report = EMPTY;
  /** Of threads that died. */
  #counted = EMPTY;
  /** Where they listen, also while none does. */
  #places: readonly HeldPort[] = [];

  constructor(options: WorkerPathOptions) {
    this.#options = options;
    this.#data = options.data;
    this.#workers = Array.from({ length: options.count }, (_, index) => this.#handle(index + 1));
  }

  get view(): View | null {
    return this.#view;
  }

  get report(): PathReport {
    return this.#report;
  }

  async refresh(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => this.#ask(worker)));
    this.#merge();
  }

  /** The first one finds out which ports there are. */
  async start(): Promise<void> {
    for (const worker of this.#workers) worker.start();
    const [first, ...others] = this.#workers;
    if (first !== undefined) await this.#begin(first);
    await Promise.all(others.map((worker) => this.#begin(worker)));
  }

  async apply(view: View, warmLimit?: number): Promise<Result<void, Refusal>> {
    const [first, ...others] = this.#workers.filter(({ calls }) => calls !== null);
    if (first === undefined) return err(unable('no worker thread runs'));
    const taken: WorkerHandle[] = [];
    const take = async (worker: WorkerHandle): Promise<Refusal | null> => {
      const refusal = await this.#applyTo(worker, view, warmLimit);
      if (refusal === null) taken.push(worker);
      return refusal;
    };
    const refusals = [await take(first)];
    if (refusals[0] === null) refusals.push(...(await Promise.all(others.map(take))));
    const refusal = refusals.find((each) => each !== null) ?? null;
    if (refusal !== null) {
      const before = this.#view;
      if (before !== null) await Promise.all(taken.map((worker) => this.#applyTo(worker, before, undefined)));
      return err(refusal);
    }
    this.#view = view;
    return ok(undefined);
  }

  renewIdentity(material: MeshMaterial): void {
    const { identity } = this.#data;
    if (identity === null) return;
    const { keyPem, chainPem, bundlePem } = material;
    this.#data = { ...this.#data, identity: { ...identity, keyPem, chainPem, bundlePem } };
    for (const { calls } of this.#workers) {
      calls?.call('renewIdentity', { keyPem, chainPem, bundlePem }).catch((error: unknown) => this.#complain(error));
    }
  }

  async renewCertificates(): Promise<void> {
    for (const hosts of this.#hosts.values()) await this.#options.certificates.renew(hosts);
    await Promise.all(this.#workers.flatMap(({ calls }) => calls?.call('renewCertificates', null) ?? []));
  }

  async drainInbound(cap: number): Promise<void> {
    await Promise.all(this.#workers.map(({ calls }) => within(calls?.call('drainInbound', { cap }), cap + GRACE)));
  }

  async drain(cap: number): Promise<void> {
    await Promise.all(this.#workers.map(({ calls }) => within(calls?.call('drain', { cap }), cap + GRACE)));
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  close(): void {
    for (const worker of this.#workers) void worker.close();
  }

  #handle(number: number): WorkerHandle {
    const { entry, certificates, denials, log, random } = this.#options;
    return new WorkerHandle({
      number,
      entry,
      data: () => this.#data,
      handlers: {
        certificate: async (hosts) => {
          this.#hosts.set(JSON.stringify(hosts), hosts);
          const { keyPem, chainPem } = await certificates.for(hosts);
          return { keyPem, chainPem };
        },
        denied: ({ denial, snapshot }) => {
          denials.record(denial, snapshot);
          return null;
        },
      },
      log,
      onGone: (gone) => {
        const last = this.#reports.get(gone);
        if (last !== undefined) this.#counted = mergeReports([this.#counted, countsOf(last)]);
        this.#reports.delete(gone);
      },
      resume: (worker) => this.#resume(worker),
      random,
    });
  }

  async #begin(worker: WorkerHandle): Promise<void> {
    const report = await worker.calls?.call('start', { held: this.#held });
    if (report === undefined) throw new MeshError('internal', { detail: 'a worker thread ended at once' });
    this.#note(worker, report);
  }

  async #resume(worker: WorkerHandle): Promise<void> {
    await this.#begin(worker);
    const refusal = this.#view === null ? null : await this.#applyTo(worker, this.#view, undefined);
    if (refusal !== null) throw new MeshError('internal', { detail: refusal.message });
  }

  async #applyTo(worker: WorkerHandle, view: View, warmLimit: number | undefined): Promise<Refusal | null> {
    try {
      const applied = await worker.calls?.call('apply', { held: this.#held, view, warmLimit });
      if (applied === undefined) return unable('a worker thread is gone');
      this.#note(worker, applied.report);
      return applied.refusal;
    } catch (error) {
      return unable(describeError(error));
    }
  }

  get #held(): readonly HeldPort[] {
    return [...this.#places, ...this.#options.held];
  }

  async #ask(worker: WorkerHandle): Promise<void> {
    const report = await within(worker.calls?.call('report', null), REPORT_LIMIT);
    if (report !== undefined) this.#reports.set(worker, report);
  }

  #note(worker: WorkerHandle, report: PathReport): void {
    this.#reports.set(worker, report);
    this.#merge();
  }

  #merge(): void {
    const running = this.#workers.flatMap((worker) => this.#reports.get(worker) ?? []);
    this.#report = mergeReports([...running, this.#counted]);
    const { listeners } = this.#report;
    if (listeners.length > 0) this.#places = listeners.map(({ name, host, port }) => ({ name, host, port }));
  }

  #complain(error: unknown): void {
    this.#options.log.error({ error: describeError(error) }, 'a worker did not take the renewed certificate');
  }
}

function unable(detail: string): Refusal {
  return { code: 'internal', resource: '', ruleId: '', message: detail };
}

/** undefined where it fails, or takes longer. */
async function within<T>(answer: Promise<T> | undefined, limit: number): Promise<T | undefined> {
  if (answer === undefined) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((done) => {
    timer = setTimeout(() => done(undefined), limit);
  });
  try {
    return await Promise.race([answer, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

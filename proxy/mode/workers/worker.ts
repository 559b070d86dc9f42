// A worker thread: a data path of its own beside those of its siblings, on the same places. It asks the thread of the
// process for what there is only one of: certificates, and the ring of denials.
import { compactWhenQuiet } from '../../../host/compact-heap.ts';
import { createLog } from '../../../host/log.ts';
import { buildPath } from '../build-proxy.ts';
import { ServerCertificates } from '../certificates.ts';
import { SharedPorts } from '../shared-ports.ts';
import { type CallPort, Calls, type Handlers } from './calls.ts';
import type { ProcessMethods, WorkerData, WorkerMethods } from './contract.ts';

export function runWorker(data: WorkerData, port: CallPort): void {
  const sharing = new SharedPorts();
  const path = buildPath({
    role: data.role,
    identity: data.identity,
    certificates: new ServerCertificates((hosts) => calls.call('certificate', hosts)),
    denials: {
      record: (denial, snapshot) => {
        // Nobody waits; without the process there is no worker either.
        calls.call('denied', { denial, snapshot }).catch(() => {});
      },
    },
    log: createLog(data.log),
    accessLog: data.accessLog,
    drain: data.drain,
    sharing,
  });
  const handlers: Handlers<WorkerMethods> = {
    start: async ({ held }) => {
      sharing.adopt(held, new Set());
      await path.start();
      compactWhenQuiet();
      return path.report;
    },
    apply: async ({ held, view, warmLimit }) => {
      sharing.adopt(held, new Set(path.report.listeners.map(({ name }) => name)));
      const applied = await path.apply(view, warmLimit);
      return { refusal: applied.ok ? null : applied.error, report: path.report };
    },
    renewIdentity: (material) => {
      path.renewIdentity(material);
      return null;
    },
    renewCertificates: async () => {
      await path.renewCertificates();
      return null;
    },
    report: () => path.report,
    drainInbound: async ({ cap }) => {
      await path.drainInbound(cap);
      return null;
    },
    drain: async ({ cap }) => {
      await path.drain(cap);
      return null;
    },
  };
  const calls = new Calls<WorkerMethods, ProcessMethods>(port, handlers);
  calls.start();
}

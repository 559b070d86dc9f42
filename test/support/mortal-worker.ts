// A worker of the proxy that a test can kill: it dies of a message with its thread id, as of a fault of its own.
import { BroadcastChannel, parentPort, threadId, workerData } from 'node:worker_threads';
import { runWorker } from '../../proxy/mode/workers/worker.ts';
import type { WorkerData } from '../../proxy/mode/workers/contract.ts';

if (parentPort === null) throw new Error('this is a worker');
runWorker(workerData as WorkerData, parentPort);
const channel = new BroadcastChannel('kill-worker');
channel.onmessage = (message) => {
  const { data } = message as { data: unknown };
  if (data === threadId) throw new Error('killed by the test');
};
channel.unref();
new BroadcastChannel('born-worker').postMessage(threadId);

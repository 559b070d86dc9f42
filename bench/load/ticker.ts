// Thread of open-loop-main.ts: says when the next request is due, to a tenth of a millisecond, where timers of an event
// loop know whole milliseconds. Ends with the process.
import { parentPort, workerData } from 'node:worker_threads';

export interface TickerData {
  /** Milliseconds from one tick to the next. */
  readonly every: number;
}

const { every } = workerData as TickerData;
const never = new Int32Array(new SharedArrayBuffer(4));
for (let next = performance.now() + every; ; next += every) {
  const wait = next - performance.now();
  if (wait > 0) Atomics.wait(never, 0, 0, wait);
  parentPort?.postMessage(0);
}

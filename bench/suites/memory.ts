// Suite: memory of sidecars with 10 services in view, idle and through minutes of load, beside Envoy.
import { setTimeout as delay } from 'node:timers/promises';
import { runWrk } from '../load/wrk.ts';
import { startPairs } from '../pairs.ts';
import { measure } from '../process.ts';
import type { Sample } from '../sample.ts';
import type { Contender, Suite, SuiteContext } from '../suite.ts';

const CALLEES = 10;
const CALM_MS = 10_000;
const CONNECTIONS = 32;

export const memory: Suite = {
  name: 'memory',
  title: 'Memory of sidecars, 10 services in view',
  about: `Idle for ten seconds after the start, then ${CONNECTIONS} connections of wrk through caller's and callee's sidecar at saturation, both pairs at the same time; one figure a minute. RSS is private memory (RssAnon) and what files back, which processes share.`,
  tables: [
    {
      title: '',
      base: null,
      of: 'when',
      includes: () => true,
      columns: [
        { title: 'RSS MiB', measure: 'rss', digits: 1, main: true },
        { title: 'private MiB', measure: 'anon', digits: 1 },
        { title: 'file-backed MiB', measure: 'file', digits: 1 },
        { title: 'RSS since minute two, MiB', measure: 'growth', digits: 1 },
        { title: 'requests/s', measure: 'rps', digits: 0 },
      ],
    },
  ],
  estimate: ({ soakMinutes }) => 15 + CALM_MS / 1_000 + soakMinutes * 60,
  async run(context) {
    const pairs = await startPairs(context, { protocol: 'http1', callees: CALLEES });
    await delay(CALM_MS);
    for (const pair of pairs) addRows(context, pair, 'idle', {});
    const whole = Math.max(1, Math.round(context.effort.soakMinutes));
    const seconds = Math.round((context.effort.soakMinutes / whole) * 60);
    const second = new Map<number, number>();
    for (let minute = 1; minute <= whole; minute++) {
      const loads = pairs.map(async (pair) => ({
        pair,
        load: await runWrk({
          url: `${pair.urls['plain']}/items/42`,
          host: pair.host,
          connections: CONNECTIONS,
          seconds,
        }),
      }));
      for (const { pair, load } of await Promise.all(loads)) {
        const rps = load.requests / load.seconds;
        addRows(context, pair, `minute ${minute} of load`, { rps, failures: load.failures }, (pid, rss): Sample => {
          if (minute === 2) second.set(pid, rss);
          return minute < 2 ? {} : { growth: rss - (second.get(pid) ?? rss) };
        });
      }
      context.say(`minute ${minute} of ${whole}`);
    }
  },
};

/** Names of a pair's processes, in the order of its pids. */
const SIDES = ['of the caller', 'of the callee'] as const;

function addRows(
  { rows }: SuiteContext,
  pair: Contender,
  point: string,
  seen: Sample,
  more: (pid: number, rss: number) => Sample = () => ({}),
): void {
  pair.pids.forEach((pid, i) => {
    const { rssMiB, anonMiB, fileMiB } = measure(pid);
    const sample = { rss: rssMiB, anon: anonMiB, file: fileMiB, ...seen, ...more(pid, rssMiB) };
    const subject = `${pair.role === 'subject' ? 'Weft' : 'Envoy'} sidecar ${SIDES[i] ?? ''}`;
    rows.push({ point, rate: null, subject, samples: [sample] });
  });
}

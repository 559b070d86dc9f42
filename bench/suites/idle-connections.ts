// Suite: what an idle keep-alive connection costs each proxy in memory.
import { setTimeout as delay } from 'node:timers/promises';
import { PATH, startEdges } from '../edges.ts';
import { holdConnections } from '../load/idle.ts';
import { runWrk } from '../load/wrk.ts';
import { type Contender, cost, type Suite, type SuiteContext } from '../suite.ts';

const COUNT = 10_000;
/** Allocators and garbage collectors give back what the opening took. */
const CALM_MS = 5_000;
const KIB_PER_MIB = 1_024;

export const idleConnections: Suite = {
  name: 'idle-connections',
  title: '10,000 idle connections, plaintext HTTP/1.1',
  about:
    'Memory of a fresh process before and 5 s after 10,000 keep-alive connections were opened and asked once each; the difference by connection, which includes what serving 10,000 requests leaves behind.',
  tables: [
    {
      title: '',
      base: 'Envoy',
      of: 'connections',
      includes: () => true,
      columns: [
        { title: 'KiB RSS for each', measure: 'perConnection', digits: 2, main: true },
        { title: 'KiB private for each', measure: 'perConnectionAnon', digits: 2 },
        { title: 'RSS MiB', measure: 'rss', digits: 0 },
        { title: 'private MiB', measure: 'anon', digits: 0 },
      ],
    },
  ],
  estimate: () => 10 + 7 * 11,
  async run(context) {
    const contenders = await startEdges(context, { protocol: 'http1', tls: false, peers: true });
    for (const contender of contenders) {
      await hold(context, contender).catch((error: unknown) => {
        context.notes.push(`${contender.name}: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
  },
};

async function hold(context: SuiteContext, contender: Contender): Promise<void> {
  const url = `${contender.urls['plain']}${PATH}`;
  // No load before: what it leaves free in a heap would hold connections for nothing.
  await runWrk({ url, host: contender.host, connections: 1, seconds: 1 });
  await delay(1_000);
  const before = cost(contender);
  const held = await holdConnections(new URL(url), contender.host, COUNT);
  await delay(CALM_MS);
  const { rssMiB, anonMiB } = cost(contender);
  const lost = await held.release();
  if (lost > 0) context.notes.push(`${contender.name} closed ${lost} of ${COUNT} idle connections`);
  context.say(`${contender.name}: ${(rssMiB - before.rssMiB).toFixed(1)} MiB for ${held.count}`);
  context.rows.push({
    point: '10,000 idle',
    rate: null,
    subject: contender.name,
    samples: [
      {
        perConnection: ((rssMiB - before.rssMiB) * KIB_PER_MIB) / held.count,
        perConnectionAnon: ((anonMiB - before.anonMiB) * KIB_PER_MIB) / held.count,
        rss: rssMiB,
        anon: anonMiB,
        failures: lost,
      },
    ],
  });
}

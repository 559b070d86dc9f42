// `npm run bench`: Weft's standalone edge beside Envoy and a node:http baseline, in one run on this machine, and
// bench/RESULTS.md with what came out. The proxy has core 0 to itself, load and upstream share core 1.
// Options: --seconds N (per round), --rounds N, --write (update RESULTS.md). Exit 1 where the target is missed.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PROXY_NODE_FLAGS, proxyEnvironment } from '../host/node-flags.ts';
import { runLoad } from './load.ts';
import { freePort, measure, type Subject, type SubjectSpec, startSubject } from './process.ts';
import { findEnvoy, writeEnvoyConfig } from './proxies/envoy.ts';
import { writeWeftConfig } from './proxies/weft.ts';
import { medianCpu, type Row, type Round, table } from './report.ts';

const PROXY_CORE = 0;
const LOAD_CORE = 1;
const CONNECTIONS = [32, 256, 1];
/** The target of this stage: CPU per request at 32 connections, as a share of Envoy's. */
const TARGET = { connections: 32, ratio: 0.6 };

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
});

async function subjects(work: string, upstream: number): Promise<SubjectSpec[]> {
  const [weftPort, envoyPort, nodePort] = [await freePort(), await freePort(), await freePort()];
  writeWeftConfig(join(work, 'weft.yaml'), weftPort, upstream);
  writeEnvoyConfig(join(work, 'envoy.json'), envoyPort, upstream);
  mkdirSync(join(here, '.peers'), { recursive: true });
  const envoy = findEnvoy(join(here, '.peers'));
  const node = process.execPath;
  const weft = [join(here, '..', 'proxy', 'main.ts'), 'edge', '--standalone', join(work, 'weft.yaml')];
  return [
    {
      name: 'Weft',
      core: PROXY_CORE,
      port: weftPort,
      env: proxyEnvironment({}),
      command: [
        node,
        ...PROXY_NODE_FLAGS,
        ...weft,
        '--state-dir',
        join(work, 'state'),
        '--status',
        '127.0.0.1:0',
        '--access-log',
        'off',
      ],
    },
    {
      name: 'Envoy',
      core: PROXY_CORE,
      port: envoyPort,
      command: [
        envoy,
        '-c',
        join(work, 'envoy.json'),
        '--concurrency',
        '1',
        '--log-level',
        'error',
        '--disable-hot-restart',
      ],
    },
    {
      name: 'node:http',
      core: PROXY_CORE,
      port: nodePort,
      command: [node, join(here, 'proxies', 'node-http.ts'), String(nodePort), String(upstream)],
    },
  ];
}

async function round(subject: Subject, connections: number, seconds: number): Promise<Round> {
  const before = measure(subject.pid);
  const load = await runLoad({
    url: `http://127.0.0.1:${subject.port}/service-57/items/42`,
    connections,
    seconds,
    core: LOAD_CORE,
  });
  const after = measure(subject.pid);
  if (load.failures > 0)
    throw new Error(`${subject.name}: ${load.failures} failed requests at ${connections} connections`);
  return { load, cpuMicros: ((after.cpuMs - before.cpuMs) * 1_000) / load.requests, memory: after };
}

async function compare(running: readonly Subject[], rounds: number, seconds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const connections of CONNECTIONS) {
    const results = new Map<Subject, Round[]>(running.map((subject) => [subject, []]));
    for (const subject of running) await round(subject, connections, Math.min(seconds, 3));
    for (let i = 0; i < rounds; i++) {
      for (const [subject, list] of results) list.push(await round(subject, connections, seconds));
      process.stderr.write(`${connections} connections, round ${i + 1} of ${rounds}\n`);
    }
    for (const [subject, list] of results) rows.push({ subject: subject.name, connections, rounds: list });
  }
  return rows;
}

function writeResults(text: string): void {
  const file = join(here, 'RESULTS.md');
  const marks = ['<!-- plaintext-h1 -->', '<!-- /plaintext-h1 -->'] as const;
  const [head, rest] = readFileSync(file, 'utf8').split(marks[0]) as [string, string];
  writeFileSync(file, `${head}${marks[0]}\n${text}\n${marks[1]}${rest.split(marks[1])[1]}`);
}

async function main(): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), 'weft-bench-'));
  const running: Subject[] = [];
  try {
    const port = await freePort();
    const command = [process.execPath, join(here, 'upstream.ts'), String(port)];
    running.push(await startSubject({ name: 'upstream', core: LOAD_CORE, port, command }));
    for (const spec of await subjects(work, port)) running.push(await startSubject(spec));
    const rows = await compare(running.slice(1), Number(values.rounds), Number(values.seconds));
    const text = table(rows, 'Envoy');
    const about = `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${values.rounds} rounds of ${values.seconds} s each, interleaved, medians.`;
    process.stdout.write(`${text}\n\n${about}\n`);
    if (values.write) writeResults(`${about}\n\n${text}`);
    return verdict(rows);
  } finally {
    for (const subject of running) await subject.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

function verdict(rows: readonly Row[]): number {
  const at = (subject: string): Row | undefined =>
    rows.find((row) => row.subject === subject && row.connections === TARGET.connections);
  const [weft, envoy] = [at('Weft'), at('Envoy')];
  if (weft === undefined || envoy === undefined) return 1;
  const ratio = medianCpu(weft) / medianCpu(envoy);
  const passed = ratio <= TARGET.ratio;
  process.stdout.write(
    `${passed ? 'pass' : 'fail'}: ${ratio.toFixed(2)}× Envoy's CPU per request at ${TARGET.connections} connections (target ${TARGET.ratio}×)\n`,
  );
  return passed ? 0 : 1;
}

process.exitCode = await main();

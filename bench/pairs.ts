// Starts two sidecars with an app behind the second, of Weft and of Envoy.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startUpstream } from './edges.ts';
import { probe } from './load/probe.ts';
import { freePort, LOAD_CORE, PROXY_CORE, startSubject } from './process.ts';
import { issueCertificates } from './proxies/certificates.ts';
import { envoyCommand } from './proxies/envoy.ts';
import { writeEnvoyPair } from './proxies/envoy-pair.ts';
import { BENCH } from './results.ts';
import { type Contender, type SuiteContext, wanted } from './suite.ts';

export interface PairsSpec {
  /** What the caller and the app speak. */
  readonly protocol: 'http1' | 'http2' | 'grpc';
  /** Services that the caller's sidecar knows, the one behind the other sidecar among them. */
  readonly callees: number;
}

const CALLEE = 'upstream';

export async function startPairs(context: SuiteContext, spec: PairsSpec): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const [name, start] of [
    ['Weft pair', startWeft],
    ['Envoy pair', startEnvoy],
  ] as const) {
    if (!wanted(context, name) && !wanted(context, name.split(' ')[0] as string)) continue;
    try {
      const contender = await start(context, spec);
      const problem = await probe({
        protocol: spec.protocol,
        url: `${contender.urls['plain']}/items/42`,
        host: CALLEE,
      });
      if (problem !== null) throw new Error(problem);
      contenders.push(contender);
    } catch (error) {
      context.notes.push(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return contenders;
}

/** The services besides CALLEE, which nobody calls. */
function others(count: number): string[] {
  return Array.from({ length: count - 1 }, (_, i) => `callee-${i}`);
}

/** A real `weft up`: control plane, two sidecars, their certificates. */
async function startWeft(context: SuiteContext, { protocol, callees }: PairsSpec): Promise<Contender> {
  const file = join(context.work, 'weft.yaml');
  const [script, kind] = upstreamOf(protocol);
  const command = [
    'exec',
    'taskset',
    '-c',
    LOAD_CORE,
    process.execPath,
    join(BENCH, 'upstream', script),
    '$PORT',
    kind,
  ];
  const app = `run: ${JSON.stringify(command.join(' '))}`;
  const speaks = protocol === 'http1' ? '' : `, protocol: ${protocol}`;
  // Static ones: a sidecar and an app for each would tell nothing more. What they lead to must accept connections.
  const stand = await startUpstream(context, 'stand-in', script, kind === '' ? [] : [kind]);
  writeFileSync(
    file,
    `version: 1
services:
  caller: { run: exec sleep 100000, calls: [${[CALLEE, ...others(callees)].join(', ')}] }
  ${CALLEE}: { port: ${await freePort()}, ${app}${speaks} }
${others(callees)
  .map((name) => `  ${name}: { endpoints: [127.0.0.1:${stand.port}] }`)
  .join('\n')}
`,
  );
  const up = join(context.work, '.weft', 'up.json');
  const subject = await startSubject({
    name: 'weft up',
    core: PROXY_CORE,
    cwd: context.work,
    ready: () => sidecars(up).length === 2,
    command: [process.execPath, join(BENCH, '..', 'bin', 'weft.js'), 'up', file],
  });
  context.running.push(subject);
  const pids = sidecars(up).toSorted((a, b) => a.name.localeCompare(b.name));
  const [caller] = pids;
  if (caller === undefined) throw new Error('weft up runs no sidecar');
  const url = `http://${byHostAddress(caller.pid)}`;
  return {
    name: 'Weft pair',
    role: 'subject',
    jit: true,
    urls: { plain: url },
    host: CALLEE,
    pids: pids.map(({ pid }) => pid),
  };
}

function upstreamOf(protocol: PairsSpec['protocol']): readonly [file: string, kind: string] {
  if (protocol === 'http1') return ['http1.ts', ''];
  return ['http2.ts', protocol === 'grpc' ? 'grpc' : 'plain'];
}

interface UpProcess {
  readonly name: string;
  readonly role: string;
  readonly pid: number;
}

function sidecars(file: string): readonly UpProcess[] {
  try {
    // Written by `weft up` itself, whole or not at all.
    const { processes } = JSON.parse(readFileSync(file, 'utf8')) as { processes: UpProcess[] };
    return processes.filter(({ role }) => role === 'sidecar');
  } catch {
    return [];
  }
}

/** Where the app calls any service by Host: it stands in the sidecar's command line. */
function byHostAddress(pid: number): string {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const at = words.findIndex((word) => word.startsWith('--outbound-by-host'));
  const address = words[at]?.split('=')[1] ?? words[at + 1];
  if (at < 0 || address === undefined) throw new Error('the sidecar has no --outbound-by-host');
  return address;
}

/** HTTP/2 between the two, which costs them less than HTTP/1.1 does. */
async function startEnvoy(context: SuiteContext, { protocol, callees }: PairsSpec): Promise<Contender> {
  const [script, kind] = upstreamOf(protocol);
  const app = await startUpstream(context, 'app', script, kind === '' ? [] : [kind]);
  const folder = join(context.work, 'envoy');
  mkdirSync(folder);
  const [inbound, outbound] = [await freePort(), await freePort()];
  const files = writeEnvoyPair(folder, await issueCertificates(folder), {
    app: app.port,
    inbound,
    outbound,
    protocol: protocol === 'http1' ? 'http1' : 'http2',
    callees: [CALLEE, ...others(callees)],
  });
  const pids: number[] = [];
  for (const [config, port] of [
    [files.outbound, outbound],
    [files.inbound, inbound],
  ] as const) {
    const subject = await startSubject({ name: 'Envoy', core: PROXY_CORE, port, command: envoyCommand(config) });
    context.running.push(subject);
    pids.push(subject.pid);
  }
  const url = `http://127.0.0.1:${outbound}`;
  return { name: 'Envoy pair', role: 'base', jit: false, urls: { plain: url }, host: CALLEE, pids };
}

// Suite: a pair of sidecars with mutual TLS 1.3 between them, HTTP/1.1 caller and app, the cost of both proxies
// together. Weft's pair is a real `weft up`; Envoy's pair speaks HTTP/2 inside, its better way, with certificates of
// the same kind (P-256) and the same check of the peer's SPIFFE id on both sides.
import { execPath } from 'node:process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { ENVOY_FLAGS } from './plaintext.ts';
import { freePort, startSubject } from './process.ts';
import { findEnvoy } from './proxies/envoy.ts';
import { issuePair } from './proxies/certificates.ts';
import { writeEnvoyPair } from './proxies/envoy-pair.ts';
import { type Contender, LOAD_CORE, PROXY_CORE, type Stoppable, type Suite } from './suite.ts';

const here = dirname(fileURLToPath(import.meta.url));

export const pair: Suite = {
  name: 'mtls-pair-h1',
  base: 'Envoy pair',
  connections: [32, 128, 8, 1],
  target: { subject: 'Weft pair', connections: 32, ratio: 0.8 },
  start: async (work, running) => [await startWeft(work, running), await startEnvoy(work, running)],
};

async function startWeft(work: string, running: Stoppable[]): Promise<Contender> {
  const app = await freePort();
  const address = join(work, 'address');
  const keep = `echo $UPSTREAM_URL > ${address}; exec sleep 100000`;
  const upstream = `exec taskset -c ${LOAD_CORE} ${execPath} ${join(here, 'upstream.ts')} $PORT`;
  writeFileSync(
    join(work, 'weft.yaml'),
    `version: 1
services:
  caller: { run: ${JSON.stringify(keep)}, calls: [upstream] }
  upstream: { port: ${app}, run: ${JSON.stringify(upstream)} }
`,
  );
  const up = join(work, '.weft', 'up.json');
  const subject = await startSubject({
    name: 'weft up',
    core: PROXY_CORE,
    cwd: work,
    ready: () => readUp(up) !== null && readAddress(address) !== null,
    command: [execPath, join(here, '..', 'bin', 'weft.js'), 'up', join(work, 'weft.yaml')],
  });
  running.push(subject);
  const pids = (readUp(up) ?? []).filter((process) => process.role === 'sidecar').map((process) => process.pid);
  if (pids.length !== 2) throw new Error(`weft up runs ${pids.length} sidecars instead of 2`);
  return { name: 'Weft pair', url: `${readAddress(address)}/service-57/items/42`, pids };
}

interface UpProcess {
  readonly role: string;
  readonly pid: number;
}

function readUp(file: string): readonly UpProcess[] | null {
  const text = readIfThere(file);
  // Written by `weft up` itself, whole or not at all.
  return text === null ? null : (JSON.parse(text) as { processes: UpProcess[] }).processes;
}

function readAddress(file: string): string | null {
  return readIfThere(file)?.trim() || null;
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

async function startEnvoy(work: string, running: Stoppable[]): Promise<Contender> {
  const [app, inbound, outbound] = [await freePort(), await freePort(), await freePort()];
  const service = [execPath, join(here, 'upstream.ts'), String(app)];
  running.push(await startSubject({ name: 'upstream', core: LOAD_CORE, port: app, command: service }));
  const folder = join(work, 'envoy');
  mkdirSync(folder);
  const identities = await issuePair(folder);
  const files = writeEnvoyPair(folder, identities, { app, inbound, outbound });
  const envoy = findEnvoy(join(here, '.peers'));
  const pids: number[] = [];
  for (const [config, port] of [
    [files.inbound, inbound],
    [files.outbound, outbound],
  ] as const) {
    const command = [envoy, '-c', config, ...ENVOY_FLAGS];
    const subject = await startSubject({ name: 'Envoy', core: PROXY_CORE, port, command });
    running.push(subject);
    pids.push(subject.pid);
  }
  await delay(500);
  return { name: 'Envoy pair', url: `http://127.0.0.1:${outbound}/service-57/items/42`, pids };
}

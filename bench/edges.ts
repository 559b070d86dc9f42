// Starts the services, Weft's edge, Envoy and the peers of a suite with one proxy.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ProbeSpec, probe } from './load/probe.ts';
import { freePort, LOAD_CORE, PROXY_CORE, startSubject } from './process.ts';
import { issueCertificates } from './proxies/certificates.ts';
import { caddySpec, haproxySpec, isInstalled, nginxSpec } from './proxies/debian.ts';
import type { EdgeSpec, PeerSpec } from './proxies/edge.ts';
import { envoyCommand, writeEnvoyEdge } from './proxies/envoy.ts';
import { httpxySpec, nodeHttpSpec } from './proxies/node.ts';
import { weftEdgeCommand, writeWeftEdge } from './proxies/weft.ts';
import { BENCH } from './results.ts';
import { type Contender, type SuiteContext, wanted } from './suite.ts';

export interface EdgesSpec {
  readonly protocol: 'http1' | 'http2' | 'grpc';
  readonly tls: boolean;
  readonly peers: boolean;
}

/** Of a request that all proxies of the suite must answer. */
export const PATH = '/service-57/items/42';

export async function startEdges(context: SuiteContext, spec: EdgesSpec): Promise<Contender[]> {
  const upstreams = await startUpstreams(context, spec.protocol);
  const contenders: Contender[] = [];
  if (wanted(context, 'Weft')) contenders.push(...(await startWeft(context, spec, upstreams)));
  if (wanted(context, 'Envoy')) contenders.push(...(await startEnvoy(context, spec, upstreams)));
  const [first] = upstreams;
  if (spec.peers && first !== undefined) contenders.push(...(await startPeers(context, first.port)));
  return contenders;
}

type Upstreams = EdgeSpec['upstreams'];

/** `/service-58/` is answered with 12 response headers. */
async function startUpstreams(context: SuiteContext, protocol: EdgesSpec['protocol']): Promise<Upstreams> {
  if (protocol === 'http1') return [await startUpstream(context, 'upstream', 'http1.ts', [])];
  const kind = protocol === 'grpc' ? 'grpc' : 'plain';
  const plain = await startUpstream(context, 'upstream', 'http2.ts', [kind]);
  return protocol === 'grpc' ? [plain] : [plain, await startUpstream(context, 'headers', 'http2.ts', ['headers'])];
}

export async function startUpstream(
  { running }: SuiteContext,
  name: string,
  file: string,
  args: readonly string[],
): Promise<{ readonly name: string; readonly port: number }> {
  const port = await freePort();
  const command = [process.execPath, join(BENCH, 'upstream', file), String(port), ...args];
  running.push(await startSubject({ name: `upstream ${name}`, core: LOAD_CORE, port, command }));
  return { name, port };
}

async function edgeSpec({ protocol, tls }: EdgesSpec, upstreams: Upstreams): Promise<EdgeSpec> {
  return {
    ports: { plain: await freePort(), secure: tls ? await freePort() : null },
    protocol: protocol === 'http1' ? 'http1' : 'http2',
    grpc: protocol === 'grpc',
    upstreams,
    upstreamOf: (index) => (upstreams.length > 1 && index === 58 ? 'headers' : 'upstream'),
  };
}

async function startWeft(context: SuiteContext, spec: EdgesSpec, upstreams: Upstreams): Promise<Contender[]> {
  const edge = await edgeSpec(spec, upstreams);
  const file = join(context.work, 'weft.yaml');
  writeWeftEdge(file, edge);
  const subject = { name: 'Weft', port: edge.ports.plain, ...weftEdgeCommand(context.work, file) };
  return start(context, { ...subject, jit: true }, 'subject', spec.protocol, edge.ports.secure);
}

async function startEnvoy(context: SuiteContext, spec: EdgesSpec, upstreams: Upstreams): Promise<Contender[]> {
  const edge = await edgeSpec(spec, upstreams);
  const folder = join(context.work, 'envoy');
  mkdirSync(folder);
  const file = join(folder, 'envoy.json');
  writeEnvoyEdge(file, edge, spec.tls ? (await issueCertificates(folder)).server : null);
  const subject = { name: 'Envoy', port: edge.ports.plain, command: envoyCommand(file), jit: false };
  return start(context, subject, 'base', spec.protocol, edge.ports.secure);
}

async function startPeers(context: SuiteContext, upstream: number): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const spec of [nginxSpec, haproxySpec, caddySpec]) {
    const peer = spec(context.work, await freePort(), upstream);
    if (!wanted(context, peer.name)) continue;
    if (isInstalled(peer.command[0] as string)) contenders.push(...(await start(context, peer, 'peer', 'http1', null)));
    else context.notes.push(`${peer.name} is not installed and left out (Debian: apt-get install ${peer.name})`);
  }
  if (wanted(context, 'node:http')) {
    contenders.push(...(await start(context, nodeHttpSpec(await freePort(), upstream), 'peer', 'http1', null)));
  }
  if (wanted(context, 'httpxy')) {
    contenders.push(...(await start(context, httpxySpec(await freePort(), upstream), 'peer', 'http1', null)));
  }
  return contenders;
}

/** None where it does not come up or does not answer: the others are measured all the same. */
async function start(
  context: SuiteContext,
  peer: PeerSpec,
  role: Contender['role'],
  protocol: ProbeSpec['protocol'],
  secure: number | null,
): Promise<Contender[]> {
  const urls: Record<string, string> = { plain: `http://127.0.0.1:${peer.port}` };
  if (secure !== null) urls['secure'] = `https://127.0.0.1:${secure}`;
  try {
    const subject = await startSubject({ core: PROXY_CORE, ...peer });
    context.running.push(subject);
    for (const url of Object.values(urls)) {
      const problem = await probe({ protocol, url: url + PATH, host: HOST });
      if (problem !== null) throw new Error(problem);
    }
    return [{ name: peer.name, role, jit: peer.jit, urls, host: HOST, pids: [subject.pid] }];
  } catch (error) {
    context.notes.push(`${peer.name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

const HOST = 'bench.test';

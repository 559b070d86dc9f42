// Suite: one proxy, plaintext HTTP/1.1 in and out.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROXY_NODE_FLAGS, proxyEnvironment } from '../host/node-flags.ts';
import { freePort, startSubject } from './process.ts';
import { findEnvoy, writeEnvoyConfig } from './proxies/envoy.ts';
import { caddySpec, haproxySpec, isInstalled, nginxSpec } from './proxies/debian.ts';
import { writeWeftConfig } from './proxies/weft.ts';
import { type Contender, LOAD_CORE, PROXY_CORE, type Stoppable, type Suite } from './suite.ts';

const here = dirname(fileURLToPath(import.meta.url));

export const plaintext: Suite = {
  name: 'plaintext-h1',
  base: 'Envoy',
  connections: [32, 256, 1],
  target: { subject: 'Weft', connections: 32, ratio: 0.6 },
  start,
};

interface Command {
  readonly name: string;
  readonly port: number;
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

async function start(work: string, running: Stoppable[]): Promise<Contender[]> {
  const upstream = await freePort();
  const service = [process.execPath, join(here, 'upstream.ts'), String(upstream)];
  running.push(await startSubject({ name: 'upstream', core: LOAD_CORE, port: upstream, command: service }));
  const contenders: Contender[] = [];
  for (const spec of await commands(work, upstream)) {
    const subject = await startSubject({ core: PROXY_CORE, ...spec });
    running.push(subject);
    contenders.push({ name: spec.name, url: `http://127.0.0.1:${spec.port}/service-57/items/42`, pids: [subject.pid] });
  }
  return contenders;
}

async function commands(work: string, upstream: number): Promise<Command[]> {
  const weft = await freePort();
  const envoy = await freePort();
  const node = await freePort();
  writeWeftConfig(join(work, 'weft.yaml'), weft, upstream);
  writeEnvoyConfig(join(work, 'envoy.json'), envoy, upstream);
  mkdirSync(join(here, '.peers'), { recursive: true });
  const main = [join(here, '..', 'dist', 'proxy.js'), 'edge', '--standalone', join(work, 'weft.yaml')];
  const settings = ['--state-dir', join(work, 'state'), '--status', '127.0.0.1:0', '--access-log', 'off'];
  const peers: Command[] = [];
  for (const spec of [nginxSpec, haproxySpec, caddySpec]) {
    const peer = spec(work, await freePort(), upstream);
    if (isInstalled(peer.command[0] as string)) peers.push(peer);
    else process.stderr.write(`${peer.name} is not installed and left out (Debian: apt-get install ${peer.name})\n`);
  }
  return [
    {
      name: 'Weft',
      port: weft,
      env: proxyEnvironment({}),
      command: [process.execPath, ...PROXY_NODE_FLAGS, ...main, ...settings],
    },
    {
      name: 'Envoy',
      port: envoy,
      command: [findEnvoy(join(here, '.peers')), '-c', join(work, 'envoy.json'), ...ENVOY_FLAGS],
    },
    ...peers,
    {
      name: 'node:http',
      port: node,
      command: [process.execPath, join(here, 'proxies', 'node-http.ts'), String(node), String(upstream)],
    },
  ];
}

export const ENVOY_FLAGS = ['--concurrency', '1', '--log-level', 'error', '--disable-hot-restart'] as const;

// Edge mode: `weft control-plane --edge NAME` keeps that edge running beside it, as a process of its own that
// joins in the same way as every other proxy.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readAuthority } from '../certs/authority/authority-reader.ts';
import { edgeAccount } from '../certs/policy/names.ts';
import type { Secret } from '../certs/token/secret.ts';
import { createToken } from '../certs/token/token-store.ts';
import type { Log } from '../core/kit/log.ts';
import type { HostPort } from '../core/model/mesh.ts';
import type { BoundPort } from '../host/ipc.ts';
import { appEnvironment, PROXY_NODE_FLAGS, proxyEnvironment } from '../host/node-flags.ts';
import { formatAddress } from '../host/setting-kinds.ts';
import { entryOf } from './cli/entry.ts';
import { Supervised } from './cli/up/supervised.ts';

export interface EdgeChildOptions {
  readonly name: string;
  /** Of the control plane: `discovery` and `join` are where the edge finds it. */
  readonly ports: readonly BoundPort[];
  readonly caDir: string;
  readonly stateDir: string;
  /** Status address of the control plane: where its port is chosen by the system, so is the edge's. */
  readonly status: HostPort;
  /** How long the edge's requests in flight may take when it stops, in ms. */
  readonly drain: number;
  /** Threads of the edge. */
  readonly workers: number;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Takes the edge's own log lines. */
  readonly onLine: (line: string) => void;
}

export interface EdgeChild {
  close(): Promise<void>;
}

/** Beyond the drain, until it is killed; ms. */
const GRACE = 1_000;

/** Returns once the process was started; it is started again whenever it ends. */
export async function runEdgeChild(options: EdgeChildOptions): Promise<EdgeChild> {
  const { name, stateDir, env, log } = options;
  const account = edgeAccount(name);
  const token = await makeToken(options, account);
  const flags = {
    name: account,
    'control-plane': addressOf(options.ports, 'discovery'),
    join: addressOf(options.ports, 'join'),
    'state-dir': join(stateDir, account),
    drain: `${options.drain}ms`,
    workers: String(options.workers),
    ...(options.status.port === 0 ? { status: formatAddress(options.status) } : {}),
  };
  const child = new Supervised(
    {
      name: account,
      role: 'edge',
      program: process.execPath,
      args: [
        ...PROXY_NODE_FLAGS,
        entryOf('proxy'),
        'edge',
        ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
      ],
      cwd: process.cwd(),
      // The token is not on the command line, which every user of the machine can read.
      env: { ...proxyEnvironment(appEnvironment(env)), WEFT_TOKEN: token.reveal() },
      ipc: true,
      job: false,
    },
    {
      onStart: (_child, pid) => log.info({ edge: name, edgePid: pid }, 'edge started'),
      onLine: (_child, line) => options.onLine(line),
      onMessage: (_child, message) => {
        if (message.kind === 'ready') log.info({ edge: name }, 'edge ready');
        if (message.kind === 'listening') log.info({ edge: name, ports: message.ports }, 'edge listens');
      },
      onEnd: (_child, pid, how, restartIn) => {
        const fields = { edge: name, edgePid: pid, restartIn };
        if (restartIn === null) log.info(fields, `edge ${how}`);
        else log.error(fields, `edge ${how}`);
      },
    },
  );
  child.start();
  return { close: () => child.stop(options.drain + GRACE) };
}

async function makeToken({ caDir, stateDir }: EdgeChildOptions, account: string): Promise<Secret> {
  const ambient = { clock: () => Date.now(), random: (size: number) => randomBytes(size) };
  const { rootFingerprint } = await readAuthority(caDir);
  return createToken({ stateDir, rootFingerprint, ...ambient }, { account });
}

/** Where a process on the same machine reaches a port that may be bound to every address. */
function addressOf(ports: readonly BoundPort[], name: string): string {
  const bound: HostPort = ports.find((port) => port.name === name) ?? { host: '127.0.0.1', port: 0 };
  const host = bound.host === '0.0.0.0' ? '127.0.0.1' : bound.host === '::' ? '::1' : bound.host;
  return formatAddress({ host, port: bound.port });
}

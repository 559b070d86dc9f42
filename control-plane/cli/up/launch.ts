// The command lines and environments of the processes of `weft up`.
import { dirname, join, resolve } from 'node:path';
import type { LogLevel } from '../../../host/log.ts';
import {
  appEnvironment,
  calleeVariables,
  portVariable,
  CONTROL_PLANE_NODE_FLAGS,
  PROXY_NODE_FLAGS,
  proxyEnvironment,
} from '../../../host/node-flags.ts';
import type { InstancePlan } from './plan.ts';
import { replaceShell } from './replace-shell.ts';
import type { PortBook } from './ports.ts';
import type { ProcessSpec } from './supervised.ts';

export interface LaunchOptions {
  /** The configuration file; commands of services run in its folder. */
  readonly file: string;
  /** `.weft`, absolute. */
  readonly stateDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Of Weft's own processes; null: `info`, sidecars `warn`. */
  readonly logLevel: LogLevel | null;
  /** Main modules. */
  readonly proxyEntry: string;
  readonly controlPlaneEntry: string;
  readonly ports: PortBook;
}

// Requests in flight; everything that outlives it is killed by the supervisor.
const DRAIN = '1s';
const LOOPBACK = '127.0.0.1';

export class Launcher {
  readonly #options: LaunchOptions;

  constructor(options: LaunchOptions) {
    this.#options = options;
  }

  get caDir(): string {
    return join(this.#options.stateDir, 'ca');
  }

  get controlPlaneDir(): string {
    return join(this.#options.stateDir, 'control-plane');
  }

  async controlPlane(): Promise<ProcessSpec> {
    const { file, controlPlaneEntry, logLevel } = this.#options;
    const flags = {
      config: resolve(file),
      'ca-dir': this.caDir,
      'state-dir': this.controlPlaneDir,
      discovery: await this.#loopback('control-plane/discovery'),
      join: await this.#loopback('control-plane/join'),
      status: '127.0.0.1:0',
      'log-level': logLevel ?? 'info',
    };
    return {
      name: 'control-plane',
      role: 'control-plane',
      program: process.execPath,
      args: [...CONTROL_PLANE_NODE_FLAGS, controlPlaneEntry, ...flagList(flags)],
      env: { ...this.#weftEnvironment, ...passphraseIn(this.#options.env) },
      ...this.#own,
    };
  }

  async edge(name: string, workers: number, token: string): Promise<ProcessSpec> {
    return this.#proxy('edge', `edge-${name}`, token, { 'access-log': 'on', ...workersFlag(workers) });
  }

  async sidecar(instance: InstancePlan, token: string): Promise<ProcessSpec> {
    const outbound: string[] = [];
    for (const callee of instance.callees)
      outbound.push(`${callee}=${LOOPBACK}:${await this.#outboundPort(instance, callee)}`);
    const further: string[] = [];
    for (const { name } of instance.ports) further.push(`${name}=127.0.0.1:${await this.appPort(instance, name)}`);
    return this.#proxy('sidecar', instance.name, token, {
      inbound: await this.#loopback(`${instance.name}/inbound`),
      'outbound-by-host': await this.#loopback(`${instance.name}/outbound`),
      ...(outbound.length === 0 ? {} : { outbound: outbound.join(',') }),
      ...(instance.port === null ? {} : { app: `127.0.0.1:${await this.appPort(instance)}` }),
      ...(further.length === 0 ? {} : { 'app-port': further.join(',') }),
      ...workersFlag(instance.workers),
    });
  }

  /** The app of an instance; its `run` must not be null. */
  async app(instance: InstancePlan): Promise<ProcessSpec> {
    const { file, env } = this.#options;
    const variables: Record<string, string> = {
      HOST: '127.0.0.1',
      SERVICE: instance.service,
      VERSION: instance.version ?? '',
      INSTANCE: instance.name,
    };
    for (const name of instance.port === null ? [] : ['', ...instance.ports.map((port) => port.name)]) {
      variables[portVariable(name)] = String(await this.appPort(instance, name));
    }
    for (const callee of instance.callees) {
      const address = { host: LOOPBACK, port: await this.#outboundPort(instance, callee) };
      Object.assign(variables, calleeVariables(callee, address, instance.bytes.includes(callee)));
    }
    return {
      name: instance.name,
      role: 'app',
      program: '/bin/sh',
      args: ['-c', replaceShell(instance.run ?? '')],
      cwd: dirname(resolve(file)),
      env: { ...appEnvironment(env), ...variables },
      ipc: false,
      job: instance.port === null,
    };
  }

  /** Where the app listens: a port of its own where `weft up` starts it, else the one in the config. */
  async appPort({ name, port, ports, run }: InstancePlan, portName = ''): Promise<number> {
    const configured = portName === '' ? port : ports.find((each) => each.name === portName)?.port;
    if (run === null && typeof configured === 'number') return configured;
    return this.#options.ports.port(portName === '' ? `${name}/app` : `${name}/app/${portName}`);
  }

  get #own(): Pick<ProcessSpec, 'cwd' | 'ipc' | 'job'> {
    return { cwd: process.cwd(), ipc: true, job: false };
  }

  /** Compiled code is kept between runs: a proxy starts in half the time, and from sources 25 MiB smaller. */
  get #weftEnvironment(): NodeJS.ProcessEnv {
    const { env, stateDir } = this.#options;
    return { NODE_COMPILE_CACHE: join(stateDir, 'cache'), ...appEnvironment(env) };
  }

  async #proxy(
    role: 'edge' | 'sidecar',
    name: string,
    token: string,
    more: Readonly<Record<string, string>>,
  ): Promise<ProcessSpec> {
    const { stateDir, proxyEntry, logLevel } = this.#options;
    const flags = {
      name,
      'control-plane': await this.#loopback('control-plane/discovery'),
      join: await this.#loopback('control-plane/join'),
      'state-dir': join(stateDir, 'proxies', name),
      status: '127.0.0.1:0',
      'log-level': logLevel ?? (role === 'sidecar' ? 'warn' : 'info'),
      drain: DRAIN,
      ...more,
    };
    return {
      name,
      role,
      program: process.execPath,
      args: [...PROXY_NODE_FLAGS, proxyEntry, role, ...flagList(flags)],
      // The token is not on the command line, which every user of the machine can read.
      env: { ...proxyEnvironment(this.#weftEnvironment), WEFT_TOKEN: token },
      ...this.#own,
    };
  }

  #outboundPort(instance: InstancePlan, callee: string): Promise<number> {
    return this.#options.ports.port(`${instance.name}/outbound/${callee}`);
  }

  async #loopback(purpose: string): Promise<string> {
    return `${LOOPBACK}:${await this.#options.ports.port(purpose)}`;
  }
}

function flagList(flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
}

function workersFlag(workers: number): Readonly<Record<string, string>> {
  return workers === 1 ? {} : { workers: String(workers) };
}

/** What opens an encrypted authority is the control plane's alone. */
function passphraseIn(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = ['WEFT_CA_PASSPHRASE', 'WEFT_CA_PASSPHRASE_FILE'];
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)));
}

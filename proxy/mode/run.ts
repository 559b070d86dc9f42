// `weft run -- CMD`: the proxy is the parent of the app. It starts the app once it can reach and be
// reached, hands signals on after the inbound side is drained, and ends with the app's own exit code.
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { MeshError } from '../../core/kit/error.ts';
import { appEnvironment, calleeVariables } from '../../host/node-flags.ts';
import type { MeshProcess } from './mesh-process.ts';
import type { Shell } from './shell.ts';

export async function runChild(
  command: readonly string[],
  sidecar: MeshProcess,
  shell: Shell,
  drain: number,
): Promise<number> {
  const stopped = shell.stopped();
  const first = await Promise.race([sidecar.ready.then(() => null), stopped]);
  if (first !== null) {
    await sidecar.close();
    return 0;
  }
  const child = start(command, sidecar);
  const exited = exitOf(child, command);
  shell.log.info({ command: command[0], pid: child.pid }, 'app started');
  const reason = await Promise.race([exited.then(() => null), stopped]);
  if (reason !== null) {
    shell.log.info({ reason }, 'stopping');
    await stopInOrder(child, sidecar, shell, drain, reason, exited);
  }
  const code = await exited;
  shell.log.info({ code }, 'app ended');
  await sidecar.close();
  return code;
}

function start(command: readonly string[], sidecar: MeshProcess): ChildProcess {
  const [program = '', ...args] = command;
  return spawn(program, args, { stdio: 'inherit', env: { ...appEnvironment(process.env), ...variablesOf(sidecar) } });
}

/** `PAYMENTS_URL` and what goes with it for every callee that has a port of its own. */
function variablesOf(sidecar: MeshProcess): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { name, port, bytes } of sidecar.path?.report.listeners ?? []) {
    if (!name.startsWith('outbound/')) continue;
    const address = { host: '127.0.0.1', port };
    Object.assign(variables, calleeVariables(name.slice('outbound/'.length), address, bytes));
  }
  return variables;
}

/** Exchanges from the mesh end first; the app may still call out until it has ended. */
async function stopInOrder(
  child: ChildProcess,
  sidecar: MeshProcess,
  shell: Shell,
  drain: number,
  reason: string,
  exited: Promise<number>,
): Promise<void> {
  await sidecar.drainInbound(drain);
  child.kill(reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM');
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  const late = setTimeout(kill, drain);
  shell.signals.now.addEventListener('abort', kill, { once: true });
  await exited;
  clearTimeout(late);
}

/** As a shell has it: 128 + the signal's number where a signal ended it. Rejects where it cannot be started. */
function exitOf(child: ChildProcess, command: readonly string[]): Promise<number> {
  return new Promise((done, fail) => {
    child.once('error', (cause) =>
      fail(
        new MeshError('usage', {
          detail: `${command[0] ?? ''} cannot be started: ${cause.message}`,
          hint: 'check the command after --',
          cause,
        }),
      ),
    );
    child.once('exit', (code, signal) => done(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  });
}

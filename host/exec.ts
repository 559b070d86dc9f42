// Turns this process into another program of Weft: same pid, same files.
import { MeshError } from '../core/kit/error.ts';
import { PROXY_NODE_FLAGS, proxyEnvironment } from './node-flags.ts';

/** Never returns. `entry` is the proxy's main module, run with its V8 flags; `args` begin with the role. */
export function becomeProxy(entry: string, args: readonly string[]): never {
  become([...PROXY_NODE_FLAGS, entry, ...args], proxyEnvironment(process.env));
}

/** Never returns. `entry` is a main module. */
export function becomeNode(entry: string, args: readonly string[]): never {
  become([entry, ...args], process.env);
}

function become(args: readonly string[], env: NodeJS.ProcessEnv): never {
  if (typeof process.execve !== 'function') {
    throw new MeshError('usage', {
      detail: `this needs Node 24 or newer on Linux or macOS; this is ${process.versions.node} on ${process.platform}`,
      hint: 'install Node 24 and run it again',
    });
  }
  process.execve(process.execPath, [process.execPath, ...args], env);
  throw new Error('execve returned');
}

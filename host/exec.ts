// Turns this process into another program of Weft: same pid, same files, its own V8 flags.
import { MeshError } from '../core/kit/error.ts';
import { CONTROL_PLANE_NODE_FLAGS, PROXY_NODE_FLAGS, proxyEnvironment } from './node-flags.ts';

/** Never returns. `entry` is the proxy's main module, run with its V8 flags; `args` begin with the role. */
export function becomeProxy(entry: string, args: readonly string[]): never {
  if (typeof process.execve !== 'function') {
    throw new MeshError('usage', {
      detail: `this needs Node 24 or newer on Linux or macOS; this is ${process.versions.node} on ${process.platform}`,
      hint: 'install Node 24 and run it again',
    });
  }
  const argv = [process.execPath, ...PROXY_NODE_FLAGS, entry, ...args];
  process.execve(process.execPath, argv, proxyEnvironment(process.env));
  throw new Error('execve returned');
}

/** Returns only where it cannot: on Windows, or with a parent that listens, which would lose its channel. */
export function becomeControlPlane(entry: string, args: readonly string[]): void {
  if (typeof process.execve !== 'function' || process.send !== undefined) return;
  process.execve(process.execPath, [process.execPath, ...CONTROL_PLANE_NODE_FLAGS, entry, ...args], process.env);
}

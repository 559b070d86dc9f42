// The options of `weft netns` and `weft pod`: ports and redirects as text → the plan.
import { MeshError } from '../../../core/kit/error.ts';
import type { HostPort } from '../../../core/model/mesh.ts';
import type { NetnsPlan, Redirect } from './plan.ts';

export interface NetnsFlags {
  readonly appPort: readonly string[];
  readonly redirect: readonly string[];
}

/** Throws MeshError `usage`. */
export function planOf(flags: NetnsFlags): NetnsPlan {
  return { appPorts: flags.appPort.map(readPort), redirects: flags.redirect.map(readRedirect) };
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^[1-9]\d{0,4}$/.test(text) && port <= 65_535) return port;
  throw new MeshError('usage', { detail: `--app-port needs a port, found '${text}'`, hint: 'as in 8080' });
}

function readRedirect(text: string): Redirect {
  const [from, to, more] = text.split('=').map(readLoopback);
  if (from && to && more === undefined) return { from, to };
  throw new MeshError('usage', {
    detail: `--redirect needs two IPv4 loopback addresses, found '${text}'`,
    hint: 'as in 127.15.3.7:8080=127.0.0.1:15001; `weft hosts` prints the address of a name',
  });
}

/** 127.0.0.0/8 alone: a redirect from elsewhere would take traffic that is none of the mesh's. */
function readLoopback(text: string): HostPort | null {
  const [, host, port = ''] = /^(127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}):([1-9]\d{0,4})$/.exec(text) ?? [];
  return host === undefined || Number(port) > 65_535 ? null : { host, port: Number(port) };
}

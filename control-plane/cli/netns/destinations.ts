// Which instances of its callees a sidecar wants to be called by their own addresses: asked on its admin socket, and taken
// as the word of a process with fewer rights than ours.
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeError, MeshError } from '../../../core/kit/error.ts';
import { adminSocketPath } from '../../../host/admin.ts';
import { askAdmin } from '../../../host/admin-client.ts';
import { readRedirect } from './options.ts';
import { instancesIn, type NetnsPlan, type Redirect } from './plan.ts';

/** Characters of an answer, redirects in it, and milliseconds that it may take. */
const MOST = { characters: 4 * 1024 * 1024, redirects: 16_384, time: 5_000 } as const;

export interface Destinations {
  /** The sidecar's user. */
  readonly user: number;
  readonly redirects: readonly Redirect[];
}

/** Throws MeshError `netns-refused`. */
export async function withDestinations(plan: NetnsPlan, socket: string): Promise<NetnsPlan> {
  const { user, redirects } = readDestinations(
    await ask(adminSocketPath(socket, await ownerOf(dirname(socket)))),
    socket,
  );
  if (plan.proxyUser === undefined && user === 0) {
    throw refused(
      'the sidecar runs as root, as an app may: their calls cannot be told apart',
      'run it as a user of its own, as the image does',
    );
  }
  return { ...plan, proxyUser: plan.proxyUser ?? user, redirects: [...plan.redirects, ...redirects] };
}

/** Exported for tests. Throws MeshError `netns-refused`. */
export function readDestinations(text: string, socket: string): Destinations {
  const value = parse(text);
  const { user, redirects } = value;
  const list = Array.isArray(redirects) ? redirects : [];
  const read = list.map((entry: unknown) => (typeof entry === 'string' ? readRedirect(entry) : null));
  const good = read.filter((redirect) => redirect !== null);
  const whole = Array.isArray(redirects) && good.length === list.length && list.length <= MOST.redirects;
  // Names are the sidecar's own places already: only other machines are asked for.
  const outside =
    instancesIn({ appPorts: [], redirects: good }, false).length +
    instancesIn({ appPorts: [], redirects: good }, true).length;
  if (typeof user === 'number' && Number.isInteger(user) && user >= 0 && whole && outside === good.length) {
    return { user, redirects: good };
  }
  throw refused(
    `${socket} does not answer as a sidecar does`,
    'it is admin.sock in the state folder of a sidecar of this version',
  );
}

/** Of the state folder, which is the sidecar's own. */
async function ownerOf(folder: string): Promise<number> {
  try {
    return (await stat(folder)).uid;
  } catch (cause) {
    throw refused(`${folder} is not there`, 'it is the state folder of a sidecar', cause);
  }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

async function ask(socketPath: string): Promise<string> {
  try {
    return (await askAdmin(socketPath, { path: '/redirects', silence: MOST.time, most: MOST.characters })).text;
  } catch (cause) {
    const detail = `${socketPath}: ${describeError(cause)}`;
    throw refused(detail, 'the sidecar has to run, with --transparent', cause);
  }
}

function refused(detail: string, hint: string, cause?: unknown): MeshError {
  return new MeshError('netns-refused', { detail, hint, cause });
}

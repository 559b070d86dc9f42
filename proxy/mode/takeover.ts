// One process takes over from another of the same state folder: it binds beside it, gets ready, and then asks it to
// leave. Until then the old one serves alone; if the new one fails on the way, nothing has happened.
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { adminSocketPath } from '../../host/admin.ts';
import { type AdminAnswer, askAdmin } from '../../host/admin-client.ts';
import type { HeldPort } from '../accept/port-sharing.ts';

export interface Predecessor {
  readonly pid: number;
  /** What it listens on, its status port among them. */
  readonly ports: readonly HeldPort[];
  /** Asks it to end in order; resolves when its admin socket is free. Rejects where it will not. */
  leave(): Promise<void>;
}

/** What the one that is to go says of itself. */
export interface TakeoverOffer {
  readonly pid: number;
  readonly ports: readonly HeldPort[];
  /** Why it does not go; '' where it does. */
  readonly refusal: string;
}

const MOST_CHARACTERS = 1_048_576;
const PATIENCE = 5_000;

/** Null: nobody is there. Throws MeshError `address-in-use` where somebody is who does not go. */
export async function findPredecessor(stateDir: string): Promise<Predecessor | null> {
  const socketPath = adminSocketPath(join(stateDir, 'admin.sock'));
  const answer = await ask(socketPath, 'GET', '/takeover');
  if (answer === null) return null;
  const offer = readOffer(answer);
  if (offer === null || offer.refusal !== '') {
    const detail = offer?.refusal ?? `what serves ${socketPath} does not know how`;
    throw new MeshError('address-in-use', { detail, hint: 'stop it first, or give this one another state folder' });
  }
  const { pid, ports } = offer;
  return {
    pid,
    ports,
    leave: async () => {
      const left = await ask(socketPath, 'POST', '/leave');
      // One that died meanwhile is out of the way too.
      if (left !== null && left.status !== 202) throw new MeshError('address-in-use', { detail: left.text.trim() });
    },
  };
}

/** null: nobody answers there. */
function ask(socketPath: string, method: 'GET' | 'POST', path: string): Promise<AdminAnswer | null> {
  return askAdmin(socketPath, { method, path, silence: PATIENCE, most: MOST_CHARACTERS }).catch(() => null);
}

function readOffer({ status, text }: AdminAnswer): TakeoverOffer | null {
  if (status !== 200) return null;
  try {
    const offer: unknown = JSON.parse(text);
    return isOffer(offer) ? offer : null;
  } catch {
    return null;
  }
}

function isOffer(value: unknown): value is TakeoverOffer {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value) || !('refusal' in value) || !('ports' in value)) return false;
  const { pid, refusal, ports } = value;
  return typeof pid === 'number' && typeof refusal === 'string' && Array.isArray(ports) && ports.every(isPort);
}

function isPort(value: unknown): value is HeldPort {
  if (typeof value !== 'object' || value === null) return false;
  if (!('name' in value) || !('host' in value) || !('port' in value)) return false;
  return typeof value.name === 'string' && typeof value.host === 'string' && typeof value.port === 'number';
}

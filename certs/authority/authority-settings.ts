// `authority.json`: what an authority's folder holds beside certificates and keys, where it differs from the usual.
// Folders of before have none.
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { exists, readTextBounded, SECRET_MODE, writeFileAtomic } from '../../host/files.ts';
import { isTrustDomain } from '../spiffe/spiffe-id.ts';
import { SVID_LIFE } from './authority.ts';

const SETTINGS_FILE = 'authority.json';
const MAX_FILE = 64 * 1024;
const MAX_WORDS = 64;
const HOUR = 3_600_000;

export interface AuthoritySettings {
  /** null: the one that the root's certificate names. */
  readonly trustDomain: string | null;
  /** How long SVIDs are valid, ms. */
  readonly svidLife: number;
  /** Program and arguments of what signs in place of a key in the folder; null: there is a key. */
  readonly signCommand: readonly string[] | null;
}

export const USUAL_SETTINGS: AuthoritySettings = { trustDomain: null, svidLife: SVID_LIFE, signCommand: null };

/** Whole hours from 1 hour to 90 days. */
export function isSvidLife(life: number): boolean {
  return Number.isSafeInteger(life / HOUR) && life >= HOUR && life <= 90 * 24 * HOUR;
}

/** Throws MeshError `state-corrupt` for what makes no sense. */
export async function readAuthoritySettings(dir: string): Promise<AuthoritySettings> {
  const path = join(dir, SETTINGS_FILE);
  if (!(await exists(path))) return USUAL_SETTINGS;
  const wrong = (what: string): MeshError =>
    new MeshError('state-corrupt', { detail: `${path}: ${what}`, hint: 'it is JSON, written by `weft ca init`' });
  let value: unknown;
  try {
    value = JSON.parse(await readTextBounded(path, MAX_FILE));
  } catch (cause) {
    if (cause instanceof MeshError) throw cause;
    throw wrong('not JSON');
  }
  if (typeof value !== 'object' || value === null) throw wrong('not an object');
  const fields = new Map<string, unknown>(Object.entries(value));
  const trustDomain = fields.get('trustDomain') ?? null;
  const hours = fields.get('svidHours') ?? SVID_LIFE / HOUR;
  const command = fields.get('signCommand') ?? null;
  if (trustDomain !== null && !(typeof trustDomain === 'string' && isTrustDomain(trustDomain))) {
    throw wrong('trustDomain is none');
  }
  if (typeof hours !== 'number' || !isSvidLife(hours * HOUR)) throw wrong('svidHours is not from 1 to 2160');
  if (command !== null && !isCommand(command)) throw wrong('signCommand is not a list of words');
  return { trustDomain, svidLife: hours * HOUR, signCommand: command };
}

/** Nothing is written where all is as usual. */
export async function writeAuthoritySettings(dir: string, settings: AuthoritySettings): Promise<void> {
  const { trustDomain, svidLife, signCommand } = settings;
  const told = {
    ...(trustDomain === null ? {} : { trustDomain }),
    ...(svidLife === SVID_LIFE ? {} : { svidHours: svidLife / HOUR }),
    ...(signCommand === null ? {} : { signCommand }),
  };
  if (Object.keys(told).length === 0) return;
  await writeFileAtomic(join(dir, SETTINGS_FILE), `${JSON.stringify(told, null, 2)}\n`, SECRET_MODE);
}

function isCommand(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_WORDS &&
    value.every((word) => typeof word === 'string' && word !== '')
  );
}

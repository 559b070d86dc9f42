// A backup: files of folders in one compressed file, each with its checksum, and a last line that says that nothing is
// missing. Read as a whole before anything is made of it.
import { gunzipSync, gzipSync } from 'node:zlib';
import { MeshError } from '../../core/kit/error.ts';
import { sha256Hex } from '../../host/hash.ts';

export interface ArchivedFile {
  /** `state/store/in-force.state`: forward slashes, no step up. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly data: Buffer;
}

export interface Archive {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Of the program that wrote it. */
  readonly version: string;
  readonly files: readonly ArchivedFile[];
}

const KIND = 'weft-backup';
const FORMAT = 1;
/** Bytes, unpacked. */
export const MOST_UNPACKED = 384 * 1024 * 1024;
const SEGMENT = /^[^/\\\0]{1,255}$/;

export function packArchive({ time, version, files }: Archive): Buffer {
  const lines = [
    JSON.stringify({ kind: KIND, format: FORMAT, time, version }),
    ...files.map(({ path, mode, data }) =>
      JSON.stringify({ path, mode, sha256: sha256Hex(data), data: data.toString('base64') }),
    ),
    JSON.stringify({ end: files.length }),
  ];
  return gzipSync(`${lines.join('\n')}\n`);
}

/** Throws MeshError `state-corrupt`: it is none, of a newer version, cut short, or changed. */
export function unpackArchive(bytes: Uint8Array, name: string): Archive {
  const lines = unzip(bytes, name).split('\n');
  const head = fieldsOf(lines[0] ?? '');
  if (head.get('kind') !== KIND) throw corrupt(`${name} is no backup of weft`);
  if (head.get('format') !== FORMAT) throw corrupt(`${name} is of a newer version of weft`);
  const [time, version] = [head.get('time'), head.get('version')];
  const end = fieldsOf(lines.at(-2) ?? '').get('end');
  const files = lines.slice(1, -2).map((line) => readFile(line, name));
  if (end !== files.length || lines.at(-1) !== '') throw corrupt(`${name} is cut short`);
  if (new Set(files.map(({ path }) => path)).size !== files.length) throw corrupt(`${name} has a file twice`);
  return { time: typeof time === 'number' ? time : 0, version: typeof version === 'string' ? version : '', files };
}

function unzip(bytes: Uint8Array, name: string): string {
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_UNPACKED }).toString('utf8');
  } catch (cause) {
    throw corrupt(`${name} is no backup of weft, or damaged`, cause);
  }
}

function readFile(line: string, name: string): ArchivedFile {
  const fields = fieldsOf(line);
  const [path, mode, sum, text] = ['path', 'mode', 'sha256', 'data'].map((field) => fields.get(field));
  if (typeof path !== 'string' || typeof mode !== 'number' || typeof text !== 'string') {
    throw corrupt(`${name} is damaged`);
  }
  if (!isInside(path)) throw corrupt(`${name} names a file outside its folder`);
  const data = Buffer.from(text, 'base64');
  if (sha256Hex(data) !== sum) throw corrupt(`${name}: ${path} is not what was saved`);
  return { path, mode: mode & 0o777, data };
}

function isInside(path: string): boolean {
  return path.split('/').every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..');
}

function fieldsOf(line: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  } catch {
    return new Map();
  }
}

function corrupt(detail: string, cause?: unknown): MeshError {
  return new MeshError('state-corrupt', { detail, hint: 'nothing was changed', cause });
}

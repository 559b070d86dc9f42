// `timeout` of a service or a route: one duration for the whole request, or a mapping with one for each way to wait.
import type { Milliseconds } from '../model/brand.ts';
import { parseDuration } from './duration.ts';
import { quote, type Path } from './problem.ts';
import type { Reader } from './reader.ts';
import type { RouteFile } from './schema.ts';

/** null: the default. */
export interface Timeouts {
  readonly request: Milliseconds | null;
  readonly perTry: Milliseconds | null;
  readonly idle: Milliseconds | null;
}

export function readTimeouts(reader: Reader, path: Path, file: RouteFile['timeout']): Timeouts {
  if (typeof file !== 'object') return { request: readTimeout(reader, path, file), perTry: null, idle: null };
  const request = readTimeout(reader, [...path, 'request'], file.request);
  const perTry = readTimeout(reader, [...path, 'perTry'], file.perTry);
  const idle = readTimeout(reader, [...path, 'idle'], file.idle);
  if (request !== null && perTry !== null && request > 0 && perTry >= request) {
    const found = `found ${quote(file.perTry)}, expected less than request, ${quote(file.request)}`;
    reader.error([...path, 'perTry'], found, 'the whole request, with all its tries, ends first');
  }
  return { request, perTry, idle };
}

/** null: there is none, or it is reported. */
function readTimeout(reader: Reader, path: Path, text: string | 0 | undefined): Milliseconds | null {
  if (text === undefined) return null;
  // For whoever asks where a limit comes from.
  reader.rule(path);
  const value = parseDuration(text);
  if (value === null) reader.error(path, `found ${quote(text)}, expected whole milliseconds and at most 24h`, '');
  return value;
}

// Configuration files → texts, for whoever parses them: the control plane's file source, the standalone
// edge, `weft validate`. What cannot be read is an error like any other of the configuration.
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { MAX_TEXT } from '../core/config/document.ts';
import type { ConfigText } from '../core/config/parse.ts';
import type { ConfigError } from '../core/config/problem.ts';
import { err, ok, type Result } from '../core/kit/result.ts';
import { isErrno } from './files.ts';

/** A character of UTF-8 has at most 4 bytes; the exact bound is the parser's. */
const MAX_BYTES = 4 * MAX_TEXT;

/** In the order given; a file named twice is read once. The error names every file that cannot be read. */
export async function readConfigFiles(
  paths: readonly string[],
): Promise<Result<readonly ConfigText[], readonly ConfigError[]>> {
  const unique = new Map(paths.map((path) => [resolve(path), path]));
  const read = await Promise.all([...unique.values()].map((path) => readOne(path)));
  const errors = read.flatMap((each) => (each.ok ? [] : [each.error]));
  return errors.length > 0 ? err(errors) : ok(read.flatMap((each) => (each.ok ? [each.value] : [])));
}

async function readOne(path: string): Promise<Result<ConfigText, ConfigError>> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) return err(unreadable(path, `found ${size} bytes, expected at most ${MAX_BYTES}`, ''));
    return ok({ name: path, text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)) });
  } catch (cause) {
    return err(describe(path, cause));
  }
}

function describe(path: string, cause: unknown): ConfigError {
  if (isErrno(cause, 'ENOENT')) return unreadable(path, 'the file does not exist', 'weft init writes a weft.yaml');
  if (isErrno(cause, 'EISDIR')) return unreadable(path, 'found a folder, expected a file', '');
  if (isErrno(cause, 'EACCES')) return unreadable(path, 'the file cannot be read: permission denied', '');
  if (isErrno(cause, 'ERR_ENCODING_INVALID_ENCODED_DATA')) return unreadable(path, 'the file is not UTF-8 text', '');
  return unreadable(path, `the file cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, '');
}

function unreadable(file: string, message: string, hint: string): ConfigError {
  return { file, line: 1, column: 1, path: '', message, hint, severity: 'error' };
}

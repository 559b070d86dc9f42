// How a program of Weft ends on an error: one line on stderr, a code, no stack trace.
import { describeError, MeshError } from '../core/kit/error.ts';
import { reportToParent } from './ipc.ts';

/** 2 for a wrong command line, else 1. */
function exitCodeOf(error: unknown): number {
  return error instanceof MeshError && error.code === 'usage' ? 2 : 1;
}

/** Prints `weft: …` with its hint, tells a parent, and ends the process. */
export function exitWithError(error: unknown): never {
  const message = describeError(error);
  process.stderr.write(`weft: ${message}\n`);
  // WEFT_DEBUG is for those who work on Weft itself; users never need a trace.
  if (process.env['WEFT_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  reportToParent({ kind: 'failed', code: error instanceof MeshError ? error.code : 'internal', message });
  process.exit(exitCodeOf(error));
}

/** Errors that nobody caught end the process in the same way. Call once at the start of a main module. */
export function exitOnUncaught(): void {
  process.on('uncaughtException', exitWithError);
  process.on('unhandledRejection', exitWithError);
}

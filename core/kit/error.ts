// The one error that Weft throws or hands on as a value: a code of the table, what may be said in
// public, what is for the log, and whether the request provably was not processed.
import { ERRORS, type ErrorCode } from './error-table.ts';

export type ErrorOrigin = 'downstream' | 'local' | 'upstream';

export interface MeshErrorOptions {
  readonly origin?: ErrorOrigin;
  /** For logs and operators only; never sent to a caller. No secrets even here. */
  readonly detail?: string;
  /** What to do about it, one short sentence; printed after the error on the command line. */
  readonly hint?: string;
  /** True where the upstream provably did not process the request. */
  readonly unprocessed?: boolean;
  readonly cause?: unknown;
}

export class MeshError extends Error {
  override readonly name = 'MeshError';
  readonly code: ErrorCode;
  readonly origin: ErrorOrigin;
  readonly detail: string;
  readonly hint: string;
  readonly unprocessed: boolean;

  constructor(code: ErrorCode, options: MeshErrorOptions = {}) {
    super(ERRORS[code].message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.origin = options.origin ?? 'local';
    this.detail = options.detail ?? '';
    this.hint = options.hint ?? '';
    this.unprocessed = options.unprocessed ?? false;
  }
}

/** `code: message: detail (hint)`, one line, for logs and the command line. */
export function describeError(error: unknown): string {
  if (error instanceof MeshError) {
    const detail = error.detail === '' ? '' : `: ${error.detail}`;
    const hint = error.hint === '' ? '' : ` (${error.hint})`;
    return `${error.message}${detail}${hint}`.replaceAll(/\s*\n\s*/g, ' ');
  }
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ');
}

// A MeshError as the answer of a gRPC call: status and public sentence from the table, the code in the trailer
// `weft-error`. The private detail stays in the log.
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { ERRORS, type ErrorCode } from '../../core/kit/error-table.ts';
import { MeshError } from '../../core/kit/error.ts';

/** Anything else than a MeshError becomes `internal`. */
export function toServiceError(error: unknown): ServiceError {
  const code: ErrorCode = error instanceof MeshError ? error.code : 'internal';
  const metadata = new Metadata();
  metadata.set('weft-error', code);
  const { grpc, message } = ERRORS[code];
  return Object.assign(new Error(message), { code: grpc, details: message, metadata });
}

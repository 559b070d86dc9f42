// SHA-256 as lower-case hex: of snapshots, resources and state files.
import { createHash } from 'node:crypto';

/** 64 lower-case hex digits; a string counts as its UTF-8 bytes. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

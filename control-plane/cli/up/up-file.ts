// `.weft/up.json`: where scripts find the edge, the root certificate and the processes of a running `weft up`.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../../host/files.ts';
import type { Role } from './supervised.ts';

export interface UpFile {
  /** Base URL of the first listener with TLS, else of the first; '' where there is no edge. */
  readonly edge: string;
  /** Absolute path of the root certificate. */
  readonly ca: string;
  readonly processes: readonly { readonly name: string; readonly role: Role; readonly pid: number }[];
}

export async function writeUpFile(stateDir: string, content: UpFile): Promise<void> {
  await writeFileAtomic(join(stateDir, 'up.json'), `${JSON.stringify(content, null, 2)}\n`);
}

export async function removeUpFile(stateDir: string): Promise<void> {
  await rm(join(stateDir, 'up.json'), { force: true });
}

// Which network namespace a container lives in. Containers that share one learn by a file that its owner, the pod,
// came back in another: the old namespace has lost its interfaces, and only a new start leads into the new one.
import { readlink } from 'node:fs/promises';
import { readTextBounded, writeFileAtomic } from './files.ts';

/** As the kernel names it: `net:[4026532185]`. */
export function currentNamespace(): Promise<string> {
  return readlink('/proc/self/ns/net');
}

/** Says to everybody who reads the file that the namespace is ready to be joined. Throws MeshError. */
export async function announceNamespace(path: string): Promise<void> {
  await writeFileAtomic(path, `${await currentNamespace()}\n`);
}

/** null: nobody has announced one yet. */
export async function announcedNamespace(path: string): Promise<string | null> {
  try {
    return (await readTextBounded(path, 256)).trim();
  } catch {
    return null;
  }
}

// Where the other programs of Weft are: beside this one in the built package, in their folders in the source tree.
import { fileURLToPath } from 'node:url';

const SOURCES = { proxy: '../../proxy/main.ts', 'control-plane': '../main.ts' } as const;

/** Path of a main module, to be run by node; the CLI imports neither. */
export function entryOf(program: keyof typeof SOURCES): string {
  const inSource = import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(inSource ? SOURCES[program] : `./${program}.js`, import.meta.url));
}

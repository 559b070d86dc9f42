// The goldens of `weft compose`: a compose file, further files after lines `=== name ===`, a divider, what comes of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const GOLDEN_FOLDER = fileURLToPath(new URL('../golden/compose/', import.meta.url));
export const DIVIDER = '\n----------\n';

export interface ComposeGolden {
  readonly name: string;
  readonly input: string;
  /** The compose file first. */
  readonly files: readonly (readonly [string, string])[];
}

/** Without those whose input is a project of test/fixtures. */
export function composeGoldens(): readonly ComposeGolden[] {
  const names = readdirSync(GOLDEN_FOLDER).filter((name) => !name.startsWith('project-'));
  return names.toSorted().map((name) => {
    const [input = ''] = readFileSync(join(GOLDEN_FOLDER, name), 'utf8').split(DIVIDER);
    const [first = '', ...rest] = `${input}\n`.split(/^=== (.+) ===\n/m);
    const files: [string, string][] = [['docker-compose.yml', first]];
    for (let at = 0; at < rest.length; at += 2) files.push([rest[at] ?? '', rest[at + 1] ?? '']);
    return { name, input, files };
  });
}

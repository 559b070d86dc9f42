import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generate } from '../../tools/proto.ts';

const committed = fileURLToPath(new URL('../../proto/gen', import.meta.url));

function contents(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]));
}

test('proto/gen is what `npm run proto` makes of the .proto files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-proto-'));
  try {
    const fresh = join(folder, 'gen');
    generate(fresh);
    assert.deepEqual(contents(committed), contents(fresh), 'run `npm run proto` and commit proto/gen');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

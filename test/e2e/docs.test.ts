import assert from 'node:assert/strict';
import { chmodSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../core/config/parse.ts';
import { readPage, runPage } from '../support/doc-session.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const pages = [join(root, 'README.md'), ...globSync(join(root, 'docs', '*.md'))].toSorted();

/** A folder with a `weft` on it that is this checkout's. */
function makeBin(): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-bin-'));
  const file = join(folder, 'weft');
  writeFileSync(
    file,
    `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'control-plane', 'cli', 'main.ts')}' "$@"\n`,
  );
  chmodSync(file, 0o755);
  return folder;
}

describe('every page of the documentation', () => {
  for (const file of pages) {
    const page = readPage(file);
    it(`${basename(file)} shows only configurations that are valid`, () => {
      for (const { text, line } of page.configs) {
        const parsed = parseConfig([{ name: basename(file), text }]);
        assert.ok(parsed.ok, `${basename(file)}:${line}: ${JSON.stringify(parsed.ok ? null : parsed.error, null, 1)}`);
      }
    });
    if (page.steps.length === 0) continue;
    it(`${basename(file)} shows commands that do what it says`, { timeout: 120_000 }, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'weft-docs-'));
      const bin = makeBin();
      try {
        await runPage(page, folder, bin);
      } finally {
        rmSync(folder, { recursive: true, force: true });
        rmSync(bin, { recursive: true, force: true });
      }
    });
  }
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What core must not know: the platform, the clock's timers, the network. */
const PLANTED: Readonly<Record<string, string>> = {
  'process.ts': 'export const a = process.pid;\n',
  'buffer.ts': "export const a = Buffer.from('');\n",
  'timer.ts': 'setTimeout(() => {}, 1);\n',
  'immediate.ts': 'setImmediate(() => {});\n',
  'fetch.ts': "export const a = fetch('http://a');\n",
  'console.ts': "console.log('');\n",
  'require.ts': "require('node:fs');\n",
  'built-in.ts': "import { readFileSync } from 'node:fs';\nreadFileSync('');\n",
  'built-in-type.ts': "import type { Socket } from 'node:net';\nexport const a: Socket | null = null;\n",
  'document.ts': 'export const a = document.title;\n',
};

test('the compiler refuses everything of a platform in core, and lets pure code through', () => {
  const copy = mkdtempSync(join(tmpdir(), 'weft-purity-'));
  try {
    mkdirSync(join(copy, 'core', 'kit'), { recursive: true });
    copyFileSync(join(root, 'tsconfig.json'), join(copy, 'tsconfig.json'));
    copyFileSync(join(root, 'core', 'tsconfig.json'), join(copy, 'core', 'tsconfig.json'));
    copyFileSync(join(root, 'core', 'kit', 'random.ts'), join(copy, 'core', 'kit', 'random.ts'));
    writeFileSync(join(copy, 'package.json'), '{ "type": "module" }');
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    for (const [name, text] of Object.entries(PLANTED)) writeFileSync(join(copy, 'core', 'kit', name), text);
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', 'core/tsconfig.json', '--pretty', 'false'], {
      cwd: copy,
      encoding: 'utf8',
    });
    const complained = stdout.split('\n').map((line) => /^core\/kit\/([a-z-]+\.ts)\(/.exec(line)?.[1] ?? '');
    const found = new Set(complained.filter((name) => name !== ''));
    assert.deepEqual([...found].sort(), Object.keys(PLANTED).sort());
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

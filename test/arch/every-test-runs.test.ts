import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The globs in quotes that the scripts of package.json hand to `node --test`. */
function testGlobs(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const commands = Object.values(scripts).filter((command) => command.includes('node --test'));
  return commands.flatMap((command) => [...command.matchAll(/'([^']+)'/g)].map((match) => match[1] ?? ''));
}

test('every test file is run by some script', () => {
  const run = new Set(testGlobs().flatMap((glob) => globSync(glob, { cwd: root })));
  const there = globSync('{test,examples,bench}/**/*.test.{ts,js,mjs}', { cwd: root });
  assert.deepEqual(
    there.filter((file) => !run.has(file)),
    [],
  );
  assert.ok(run.size > 0);
});

test('no test is skipped, left to do, or the only one', () => {
  const marked = globSync('test/**/*.test.ts', { cwd: root }).filter((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return /\b(test|it|describe|suite|t)\.(skip|todo|only)\(|\b(skip|todo|only): (true|['"`])/.test(text);
  });
  assert.deepEqual(marked, []);
});

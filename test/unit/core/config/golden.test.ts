// Every class of configuration error as a text: input, divider, what `weft validate` prints.
// WEFT_UPDATE_GOLDEN=1 writes the outputs anew; read the diff before you commit it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { problemLine } from '../../../../control-plane/cli/validate.ts';
import { createConfigParser, type ConfigText } from '../../../../core/config/parse.ts';

const FOLDER = new URL('../../../golden/config/', import.meta.url);
const DIVIDER = '\n----------\n';
const parse = createConfigParser();

function outputOf(input: string): string {
  const result = parse(filesOf(input));
  const problems = result.ok ? result.value.warnings : result.error;
  return [result.ok ? 'valid' : 'not valid', ...problems.map((problem) => problemLine(problem))].join('\n');
}

/** One file is weft.yaml; others follow after a line `=== name ===`. */
function filesOf(input: string): readonly ConfigText[] {
  const [first = '', ...rest] = input.split(/^=== (.+) ===\n/m);
  const files: ConfigText[] = [{ name: 'weft.yaml', text: first }];
  for (let at = 0; at < rest.length; at += 2) files.push({ name: rest[at] ?? '', text: rest[at + 1] ?? '' });
  return files;
}

for (const name of readdirSync(FOLDER).toSorted()) {
  test(`the configuration ${name} gives the outcome that it is filed with`, () => {
    const file = new URL(name, FOLDER);
    const [input = '', expected = ''] = readFileSync(file, 'utf8').split(DIVIDER);
    const output = outputOf(`${input}\n`);
    if (process.env['WEFT_UPDATE_GOLDEN'] === '1') writeFileSync(file, `${input}${DIVIDER}${output}\n`);
    else assert.equal(output, expected.trimEnd());
  });
}

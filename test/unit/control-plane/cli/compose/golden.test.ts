// Compose files of every kind as texts: input, divider, what `weft compose` says and writes.
// WEFT_UPDATE_GOLDEN=1 writes the outputs anew; read the diff before you commit it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { parseEnvFile } from '../../../../../control-plane/cli/compose/interpolate.ts';
import { overrideYaml } from '../../../../../control-plane/cli/compose/override.ts';
import { planProject, type Plan } from '../../../../../control-plane/cli/compose/plan.ts';
import { envFilesOf, readProject } from '../../../../../control-plane/cli/compose/project.ts';
import { reportLines } from '../../../../../control-plane/cli/compose/report.ts';
import { readComposeSource } from '../../../../../control-plane/cli/compose/source.ts';
import { weftYaml } from '../../../../../control-plane/cli/compose/weft-yaml.ts';
import { parseConfig } from '../../../../../core/config/parse.ts';
import { composeGoldens, DIVIDER, GOLDEN_FOLDER } from '../../../../support/compose-golden.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const WISHES = { http: new Map(), outside: new Set<string>() };
const IMAGES = { image: 'weft:dev', podImage: 'weft:netns', config: './weft.yaml', base: './docker-compose.yml' };

/** `files`: the compose file first, then `.env` and env files. */
function planOf(files: readonly (readonly [string, string])[]): Plan | string {
  const [[file, text] = ['', ''], ...others] = files;
  const source = readComposeSource(file, text);
  if (!source.ok) return source.error;
  const entries = new Map(others.map(([name, content]) => [name, parseEnvFile(content)]));
  const variables = new Map(entries.get('.env') ?? []);
  const named = envFilesOf(source.value, variables);
  const envFiles = new Map([...entries].filter(([name]) => named.includes(name)));
  const project = readProject(source.value, { variables, envFiles, folder: 'folder' });
  const plan = planProject(project, WISHES);
  return plan.ok ? plan.value : plan.error.join('\n');
}

function outputOf(plan: Plan | string, part: (override: string) => string): string {
  if (typeof plan === 'string') return plan;
  const config = weftYaml(plan);
  const parsed = parseConfig([{ name: 'weft.yaml', text: config }]);
  assert.ok(parsed.ok, `weft.yaml is not valid: ${JSON.stringify(parsed)}\n${config}`);
  const override = overrideYaml(plan, IMAGES);
  assert.ok(parse(override, { merge: true, logLevel: 'silent' }).services);
  return [...reportLines(plan), '', '=== weft.yaml ===', config, '=== compose.weft.yml ===', part(override)].join('\n');
}

/** What every override begins with is in the goldens of whole projects. */
function servicesOf(override: string): string {
  return override.slice(override.search(/^ {2}# /m), override.search(/^networks:/m));
}

function check(name: string, input: string, output: string): void {
  const file = join(GOLDEN_FOLDER, name);
  const expected = existsSync(file) ? (readFileSync(file, 'utf8').split(DIVIDER)[1] ?? '') : '';
  if (process.env['WEFT_UPDATE_GOLDEN'] === '1') writeFileSync(file, `${input}${DIVIDER}${output.trimEnd()}\n`);
  else assert.equal(output.trimEnd(), expected.trimEnd());
}

const PROJECTS = {
  'project-shop.txt': ['compose-shop', 'docker-compose.yml', []],
  'project-stock.txt': ['compose-project', 'compose.yaml', ['.env', 'worker.env']],
} as const;

for (const [name, [folder, file, others]] of Object.entries(PROJECTS)) {
  test(`the project of test/fixtures/${folder} gives what ${name} shows`, () => {
    const files = [file, ...others].map((each) => {
      return [each, readFileSync(join(ROOT, 'fixtures', folder, each), 'utf8')] as const;
    });
    check(
      name,
      `test/fixtures/${folder}/${file}`,
      outputOf(planOf(files), (override) => override),
    );
  });
}

for (const { name, input, files } of composeGoldens()) {
  test(`the compose file ${name} gives what it is filed with`, () => {
    check(name, input, outputOf(planOf(files), servicesOf));
  });
}

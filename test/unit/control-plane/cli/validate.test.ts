import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { problemLine, runValidate } from '../../../../control-plane/cli/validate.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

async function validate(files: readonly string[], json = false): Promise<{ code: number; lines: readonly string[] }> {
  const lines: string[] = [];
  const code = await runValidate({ files, json }, (line) => lines.push(line));
  return { code, lines };
}

test('a valid file is 0 and a summary', async (context) => {
  const path = join(await temporaryFolder(context), 'weft.yaml');
  await writeFile(path, 'version: 1\nservices: { web: { port: 1, calls: [api] }, api: { port: 2 } }\n');
  assert.deepEqual(await validate([path]), {
    code: 0,
    lines: [
      `${path}:2:13: warning: services.web: nobody calls "web" (name it in calls or in a route, or remove it)`,
      'valid: 2 services, 0 edges, 1 warning',
    ],
  });
});

test('errors are 1, one line each with place and hint', async (context) => {
  const path = join(await temporaryFolder(context), 'weft.yaml');
  await writeFile(path, 'version: 1\nservices:\n  web: { port: 70000, calls: [webb] }\n');
  const { code, lines } = await validate([path]);
  assert.equal(code, 1);
  assert.deepEqual(lines, [
    `${path}:3:16: error: services.web.port: found 70000, expected a port from 1 to 65535`,
    `${path}:3:31: error: services.web.calls[0]: found "webb", expected a service of this configuration (did you mean "web"?)`,
    'not valid: 2 errors',
  ]);
});

test('--json prints one document with the same', async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, 'weft.yaml');
  await writeFile(path, 'version: 1\nmash: {}\n');
  const { code, lines } = await validate([path], true);
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(lines.join('\n')), {
    ok: false,
    errors: [
      {
        file: path,
        line: 2,
        column: 1,
        path: 'mash',
        message: 'unknown key "mash", expected one of version, mesh, services, edges',
        hint: 'did you mean "mesh"?',
        severity: 'error',
      },
    ],
    warnings: [],
  });
});

test('files that cannot be read are errors with a reason, all of them', async (context) => {
  const folder = await temporaryFolder(context);
  const [missing, inner, binary] = [join(folder, 'missing.yaml'), join(folder, 'inner'), join(folder, 'binary.yaml')];
  await mkdir(inner);
  await writeFile(binary, Uint8Array.of(0xff, 0xfe, 0x00));
  const { code, lines } = await validate([missing, inner, binary]);
  assert.equal(code, 1);
  assert.deepEqual(lines, [
    `${missing}:1:1: error: the file does not exist (weft init writes a weft.yaml)`,
    `${inner}:1:1: error: found a folder, expected a file`,
    `${binary}:1:1: error: the file is not UTF-8 text`,
    'not valid: 3 errors',
  ]);
});

test('a file named twice is read once', async (context) => {
  const path = join(await temporaryFolder(context), 'weft.yaml');
  await writeFile(path, 'version: 1\nservices: { job: { run: node job.js } }\n');
  assert.deepEqual((await validate([path, path])).lines, ['valid: 1 service, 0 edges']);
});

test('a problem of no file has no place', () => {
  const problem = {
    file: '',
    line: 1,
    column: 1,
    path: '',
    message: 'found no file',
    hint: '',
    severity: 'error',
  } as const;
  assert.equal(problemLine(problem), 'error: found no file');
});

test('a callee on the caller’s own port is a warning: by plain name it needs netns', async (context) => {
  const path = join(await temporaryFolder(context), 'weft.yaml');
  const edge = 'edges: { main: { listeners: [{ port: 8443 }], routes: [{ match: /**, to: web }] } }';
  await writeFile(
    path,
    `version: 1\nservices:\n  web: { port: 80, calls: [api, db] }\n  api: { port: 80 }\n  db: { endpoints: ["10.0.0.1:5432"] }\n${edge}\n`,
  );
  const { code, lines } = await validate([path]);
  assert.equal(code, 0);
  assert.deepEqual(lines, [
    `${path}:3:28: warning: services.web.calls[0]: "api" is on port 80, as "web" itself: its plain name needs netns (in containers \`weft compose\` writes it, else \`weft netns --app-port 80\`; by variable it works anywhere)`,
    'valid: 3 services, 1 edge, 1 warning',
  ]);
});

test('so is one of several ports, each by itself', async (context) => {
  const path = join(await temporaryFolder(context), 'weft.yaml');
  const ports = 'ports: { http: 80, admin: { port: 90, protocol: http } }';
  await writeFile(path, `version: 1\nservices:\n  web: { ${ports}, calls: [api] }\n  api: { ${ports} }\n`);
  const { lines } = await validate([path]);
  const places = lines.flatMap((line) => /"api" is on port (\d+)/.exec(line)?.[1] ?? []);
  assert.deepEqual(places, ['80', '90']);
});

// Compose itself on what `weft compose` writes: it takes every override, and in what it makes of the two files a service
// in the mesh has nothing left of its own network.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runCompose } from '../../control-plane/cli/compose/command.ts';
import { composeGoldens, type ComposeGolden } from '../support/compose-golden.ts';
import { docker, requireEngine, tryDocker } from './engine.ts';

// Compose takes these inputs as little with Weft as without: they name files that are not there, or mean nothing.
const NOT_COMPOSE = /^(bad-|odd-|env-files|extends-)/;

interface Resolved {
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

async function projectOf(context: TestContext, { files }: ComposeGolden): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-override-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of files) await writeFile(join(folder, name), text);
  return folder;
}

function line(folder: string, files: readonly string[]): string[] {
  const named = files.flatMap((file) => ['-f', join(folder, file)]);
  return ['compose', '--profile', '*', '-p', 'weft-override', ...named, 'config', '--format', 'json'];
}

for (const golden of composeGoldens().filter(({ name }) => !NOT_COMPOSE.test(name))) {
  test(`Compose takes the override of ${golden.name}`, async (context) => {
    await requireEngine();
    const folder = await projectOf(context, golden);
    const before = await tryDocker(line(folder, ['docker-compose.yml']));
    assert.equal(before.code, 0, before.stderr);
    const images = { image: 'weft:dev', podImage: 'weft:netns' };
    const options = { check: false, force: false, out: null, http: [], outside: [], ...images };
    const system = { env: {}, composeVersion: async () => null };
    const file = join(folder, 'docker-compose.yml');
    assert.equal(await runCompose({ file, ...options }, system, () => {}, assert.fail), 0);
    const text = await docker(line(folder, ['docker-compose.yml', 'compose.weft.yml']));
    const { services } = JSON.parse(text) as Resolved;
    const pods = Object.keys(services).filter((name) => name.endsWith('-pod'));
    for (const pod of pods) {
      const app = services[pod.slice(0, -'-pod'.length)] ?? {};
      assert.equal(app['network_mode'], `service:${pod}`);
      for (const key of ['networks', 'ports', 'expose', 'links', 'hostname', 'dns', 'extra_hosts', 'mac_address']) {
        assert.equal(app[key], undefined, `${pod}: ${key}`);
      }
    }
    const was = (JSON.parse(before.stdout) as Resolved).services;
    assert.deepEqual(
      Object.keys(was).filter((name) => services[name] === undefined),
      [],
    );
  });
}

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { MeshError } from '../../../core/kit/error.ts';
import { CONTROL_PLANE_SETTINGS } from '../../../host/control-plane-settings.ts';
import { EDGE_SETTINGS, SIDECAR_SETTINGS } from '../../../host/proxy-settings.ts';
import { readSettings, settingsHelp } from '../../../host/settings.ts';

const usage =
  (detail: RegExp, hint = /./) =>
  (error: unknown) => {
    assert(error instanceof MeshError);
    assert.equal(error.code, 'usage');
    assert.match(error.detail, detail);
    assert.match(error.hint, hint);
    return true;
  };

describe('settings', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-settings-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('have the ports of the field where nobody sets any', async () => {
    const { settings } = await readSettings(SIDECAR_SETTINGS, [], {});
    assert.deepEqual(settings.inbound, { host: '0.0.0.0', port: 15_006 });
    assert.deepEqual(settings.outboundByHost, { host: '127.0.0.1', port: 15_001 });
    assert.deepEqual(settings.status, { host: '0.0.0.0', port: 15_020 });
    assert.deepEqual(settings.controlPlane, [{ host: '127.0.0.1', port: 15_012 }]);
    assert.equal(settings.accessLog, false);
    assert.equal((await readSettings(EDGE_SETTINGS, [], {})).settings.accessLog, true);
  });

  it('come from flags before the environment, and from that before the file', async () => {
    const file = join(folder, 'order.yaml');
    await writeFile(file, 'drain: 1s\nlogLevel: warn\ninbound: 127.0.0.1:1\n');
    const env = { WEFT_DRAIN: '2s', WEFT_LOG_LEVEL: 'error', WEFT_NAME: '' };
    const { settings } = await readSettings(SIDECAR_SETTINGS, ['--drain', '3s', '--settings', file], env);
    assert.equal(settings.drain, 3_000);
    assert.equal(settings.logLevel, 'error');
    assert.deepEqual(settings.inbound, { host: '127.0.0.1', port: 1 });
    assert.equal(settings.name, null);
  });

  it('read lists and maps from a JSON file', async () => {
    const file = join(folder, 'lists.json');
    await writeFile(file, JSON.stringify({ outbound: { payments: '127.0.0.1:9', users: 8 } }));
    const { settings } = await readSettings(SIDECAR_SETTINGS, [], { WEFT_SETTINGS: file });
    assert.deepEqual(
      [...settings.outbound],
      [
        ['payments', { host: '127.0.0.1', port: 9 }],
        ['users', { host: '127.0.0.1', port: 8 }],
      ],
    );
    const several = await readSettings(CONTROL_PLANE_SETTINGS, ['--config', 'a.yaml', '--config=b.yaml'], {});
    assert.deepEqual(several.settings.config, ['a.yaml', 'b.yaml']);
  });

  it('read several addresses of the control plane, from one flag or many', async () => {
    const at = (host: string) => ({ host, port: 15_012 });
    for (const argv of [
      ['--control-plane', 'a:15012,b:15012'],
      ['--control-plane=a:15012', '--control-plane=b:15012'],
    ]) {
      assert.deepEqual((await readSettings(SIDECAR_SETTINGS, argv, {})).settings.controlPlane, [at('a'), at('b')]);
    }
    const wrong = readSettings(SIDECAR_SETTINGS, [], { WEFT_CONTROL_PLANE: 'a:15012,b' });
    await assert.rejects(wrong, usage(/WEFT_CONTROL_PLANE needs host:port.*'a:15012,b'/));
    assert.match(
      settingsHelp(SIDECAR_SETTINGS),
      /when one is lost; default: 127\.0\.0\.1:15012 \[WEFT_CONTROL_PLANE\]/,
    );
  });

  it('read a secret from a file by flag or variable', async () => {
    const file = join(folder, 'token');
    await writeFile(file, 'weft1.a.b.c\n');
    for (const [argv, env] of [
      [['--token-file', file], {}],
      [[], { WEFT_TOKEN_FILE: file }],
    ] as const) {
      assert.equal((await readSettings(SIDECAR_SETTINGS, argv, env)).settings.token, 'weft1.a.b.c');
    }
  });

  it('leave words and the command after -- alone', async () => {
    const argv = ['sidecar', '--access-log', '--drain=1s', 'more', '--', 'node', '--inspect', 'app.js'];
    const { words, command, settings } = await readSettings(SIDECAR_SETTINGS, argv, {});
    assert.deepEqual(words, ['sidecar', 'more']);
    assert.deepEqual(command, ['node', '--inspect', 'app.js']);
    assert.equal(settings.accessLog, true);
    assert.equal((await readSettings(EDGE_SETTINGS, ['--access-log', 'off'], {})).settings.accessLog, false);
  });

  it('refuse an unknown flag and name the nearest', async () => {
    const reading = readSettings(SIDECAR_SETTINGS, ['--inbuond', '1'], {});
    await assert.rejects(reading, usage(/unknown option --inbuond/, /--inbound/));
  });

  it('refuse a wrong value, say where it stood and what was expected', async () => {
    const read = (argv: string[], env: NodeJS.ProcessEnv) => readSettings(SIDECAR_SETTINGS, argv, env);
    await assert.rejects(read(['--inbound', 'here:99999'], {}), usage(/--inbound needs host:port.*'here:99999'/));
    await assert.rejects(read([], { WEFT_DRAIN: 'long' }), usage(/WEFT_DRAIN needs a duration.*'long'/));
    await assert.rejects(read([], { WEFT_LOG_LEVEL: 'loud' }), usage(/WEFT_LOG_LEVEL needs one of debug/));
    await assert.rejects(read(['--drain'], {}), usage(/--drain needs a value/));
    await assert.rejects(read(['--inbound', '--drain', '1s'], {}), usage(/--inbound needs a value/));
    await assert.rejects(read([], { WEFT_OUTBOUND: 'payments' }), usage(/service=host:port/));
  });

  it('refuse a settings file that is missing, broken, or has an unknown key', async () => {
    const broken = join(folder, 'broken.yaml');
    await writeFile(broken, 'a: [\n');
    const unknown = join(folder, 'unknown.yaml');
    await writeFile(unknown, 'drian: 1s\n');
    const read = (file: string) => readSettings(SIDECAR_SETTINGS, ['--settings', file], {});
    await assert.rejects(read(broken), usage(/broken\.yaml is not valid YAML/, /^$/));
    await assert.rejects(read(unknown), usage(/unknown setting drian/, /drain/));
    await assert.rejects(read(join(folder, 'nowhere.yaml')), /cannot be read/);
  });

  it('list every flag with its variable in the help', () => {
    const help = settingsHelp(SIDECAR_SETTINGS);
    for (const { flag, env } of Object.values(SIDECAR_SETTINGS)) {
      assert(help.includes(`--${flag}`) && help.includes(`[${env}]`), flag);
    }
  });
});

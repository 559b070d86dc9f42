import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ConfigIntake } from '../../../control-plane/config-intake.ts';
import { Changes } from '../../../control-plane/snapshot/changes.ts';
import { History } from '../../../control-plane/snapshot/history.ts';
import { SnapshotStore } from '../../../control-plane/snapshot/snapshot-store.ts';
import { parseConfig } from '../../../core/config/parse.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { FileStore } from '../../../control-plane/store/file-store.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { loadServices } from '../../../proto/codec/services.ts';

const MESH = 'version: 1\nmesh: { trustDomain: shop.test }\nservices:\n  orders: { port: 8080 }\n';

async function makeIntake(t: TestContext, folder?: string) {
  const log = recordingLog();
  const counts = { acks: 0, nacks: 0, invalidConfigs: 0 };
  const snapshots = new SnapshotStore('shop.test', loadServices().discovery.Stream);
  const onDamage = (what: string) => log.error({}, what);
  const store = new FileStore(join(folder ?? (await temporaryFolder(t)), 'store'), onDamage);
  const history = new History({ store, onDamage });
  await history.load();
  let changed = 0;
  const changes = new Changes({ snapshots, history, log, now: () => 1, onChange: () => changed++ });
  const intake = new ConfigIntake({ snapshots, changes, counts, log });
  const give = async (text: string) => {
    const texts = [{ name: 'weft.yaml', text }];
    const parsed = parseConfig(texts);
    if (parsed.ok) await intake.take(parsed.value, texts);
    else await intake.refuse(parsed.error, ['weft.yaml'], texts);
  };
  const close = async () => {
    await changes.close();
    await store.close();
  };
  t.after(close);
  return { intake, give, log, counts, snapshots, changes, history, close, changed: () => changed };
}

test('a valid config is put in force and told on once', async (t) => {
  const { intake, give, changed } = await makeIntake(t);
  assert.throws(() => intake.requireConfig(), MeshError);
  await give(MESH);
  await give(`${MESH}# the same\n`);
  assert.equal(changed(), 1);
  intake.requireConfig();
});

test('each error of an invalid config is one line with its place', async (t) => {
  const { intake, give, log, counts, changed } = await makeIntake(t);
  await give(`${MESH}  users: { prt: 1, cals: [] }\n`);
  const errors = log.lines.filter(({ level }) => level === 'error');
  assert.deepEqual(
    errors.map(({ fields }) => [fields['code'], fields['file'], fields['line'], fields['path']]),
    [
      ['config-invalid', 'weft.yaml', 5, 'services.users.prt'],
      ['config-invalid', 'weft.yaml', 5, 'services.users.cals'],
    ],
  );
  assert.match(errors[0]?.message ?? '', /^weft\.yaml:5:12: error: services\.users\.prt/);
  assert.deepEqual([counts.invalidConfigs, changed()], [1, 0]);
  assert.throws(
    () => intake.requireConfig(),
    (error) => error instanceof MeshError && /prt.*\(and 1 more\)/.test(error.detail),
  );
});

test('an invalid edit leaves the config before it in force', async (t) => {
  const { give, log, snapshots, changed } = await makeIntake(t);
  await give(MESH);
  const { snapshot } = snapshots;
  await give('version: 1\nservices: [');
  assert.equal(snapshots.snapshot, snapshot);
  assert.equal(changed(), 1);
  assert.equal(log.lines.at(-1)?.message, 'the edit is not valid, the configuration before it stays');
});

const folderOf = (t: TestContext) => temporaryFolder(t);
const WITH = (port: number) => MESH.replace('8080', String(port));
const file = (text: string) => [{ name: 'candidate.yaml', text }];
const portOf = (snapshots: SnapshotStore) => {
  const orders = snapshots.snapshot?.mesh.services.get('orders');
  return orders?.kind === 'workload' ? orders.port : null;
};

test('what was applied outlives a restart while the files are the same, and an edit takes over again', async (t) => {
  const folder = await folderOf(t);
  const first = await makeIntake(t, folder);
  await first.give(MESH);
  first.changes.start();
  const applied = await first.changes.apply(file(WITH(9_000)), 'eve');
  assert.ok(applied.ok);
  assert.equal(portOf(first.snapshots), 9_000);
  await first.close();

  const second = await makeIntake(t, folder);
  await second.give(MESH);
  second.changes.start();
  assert.equal(portOf(second.snapshots), 9_000);
  assert.match(second.log.lines.map(({ message }) => message).join('\n'), /beside the files goes on/);
  await second.give(WITH(9_001));
  assert.equal(portOf(second.snapshots), 9_001);
  await second.close();

  const third = await makeIntake(t, folder);
  await third.give(WITH(9_001));
  assert.equal(portOf(third.snapshots), 9_001);
  assert.deepEqual(
    third.changes.known().map(({ source, who, inForce }) => [source, who, inForce]),
    [
      ['file', 'weft.yaml', true],
      ['apply', 'eve', false],
      ['file', 'weft.yaml', false],
    ],
  );
});

test('files that were edited while the control plane was away win over what was applied, and it is said', async (t) => {
  const folder = await folderOf(t);
  const first = await makeIntake(t, folder);
  await first.give(MESH);
  first.changes.start();
  await first.changes.apply(file(WITH(9_000)), 'eve');
  await first.close();
  const second = await makeIntake(t, folder);
  await second.give(`${MESH}# touched\n`);
  assert.equal(portOf(second.snapshots), 8_080);
  assert.match(second.log.lines.map(({ message }) => message).join('\n'), /edited since .* they take over/);
});

test('after a restart with files that are not valid, the configuration that was in force last goes on', async (t) => {
  const folder = await folderOf(t);
  const first = await makeIntake(t, folder);
  await first.give(WITH(9_005));
  first.changes.start();
  await first.close();
  const second = await makeIntake(t, folder);
  await second.give('version: 1\nservices: [');
  second.intake.requireConfig();
  assert.equal(portOf(second.snapshots), 9_005);
  assert.equal(second.log.lines.at(-1)?.message, 'the configuration that was in force last goes on');
  // Other files are another mesh.
  const third = await makeIntake(t, folder);
  await third.intake.refuse([], ['other.yaml'], null);
  assert.throws(() => third.intake.requireConfig(), MeshError);
});

test('nothing is changed by a plan, an invalid candidate, an unknown hash or a store that cannot be written', async (t) => {
  const folder = await folderOf(t);
  const { give, changes, snapshots, changed } = await makeIntake(t, folder);
  await give(MESH);
  changes.start();
  const before = snapshots.snapshot;
  const plan = changes.plan(file(WITH(9_000)));
  assert.ok(plan.ok && plan.value.difference.changed);
  const invalid = await changes.apply(file(MESH.replace('port:', 'prt:')), 'eve');
  assert.ok(!invalid.ok && !('kind' in invalid.error));
  assert.deepEqual(
    invalid.error.map(({ file: name, line, column }) => [name, line, column]),
    [['candidate.yaml', 4, 13]],
  );
  const foreign = await changes.apply(file(MESH.replace('shop.test', 'other.test')), 'eve');
  assert.ok(!foreign.ok && !('kind' in foreign.error));
  assert.match(foreign.error[0]?.message ?? '', /"other\.test"/);
  const unknown = await changes.rollback('ffff', 'eve');
  assert.ok(!unknown.ok && 'known' in unknown.error);
  assert.deepEqual(
    unknown.error.known.map(({ hash }) => hash),
    [before?.hash],
  );
  await rm(join(folder, 'store'), { recursive: true });
  await writeFile(join(folder, 'store'), 'in the way');
  await assert.rejects(changes.apply(file(WITH(9_000)), 'eve'), { code: 'file-unreadable' });
  assert.equal(snapshots.snapshot, before);
  assert.equal(changed(), 1);
});

test('a rollback puts an earlier configuration in force again, by how its hash begins', async (t) => {
  const { give, changes, snapshots } = await makeIntake(t);
  await give(MESH);
  changes.start();
  const first = snapshots.snapshot?.hash ?? '';
  await changes.apply(file(WITH(9_000)), 'eve');
  const back = await changes.rollback(first.slice(0, 6), 'adam');
  assert.ok(back.ok);
  assert.equal(snapshots.snapshot?.hash, first);
  const again = await changes.rollback(first, 'adam');
  assert.ok(again.ok && !again.value.difference.changed);
  assert.deepEqual(
    changes.known().map(({ source, who }) => [source, who]),
    [
      ['rollback', 'adam'],
      ['apply', 'eve'],
      ['file', 'weft.yaml'],
    ],
  );
});

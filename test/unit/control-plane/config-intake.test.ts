import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigIntake } from '../../../control-plane/config-intake.ts';
import { SnapshotStore } from '../../../control-plane/snapshot/snapshot-store.ts';
import { parseConfig } from '../../../core/config/parse.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { loadServices } from '../../../proto/codec/services.ts';

const MESH = 'version: 1\nmesh: { trustDomain: shop.test }\nservices:\n  orders: { port: 8080 }\n';

function makeIntake() {
  const log = recordingLog();
  const counts = { acks: 0, nacks: 0, invalidConfigs: 0 };
  const snapshots = new SnapshotStore('shop.test', loadServices().discovery.Stream);
  let changes = 0;
  const intake = new ConfigIntake({ snapshots, counts, log, onChange: () => changes++ });
  const give = (text: string) => {
    const parsed = parseConfig([{ name: 'weft.yaml', text }]);
    if (parsed.ok) intake.take(parsed.value);
    else intake.refuse(parsed.error);
  };
  return { intake, give, log, counts, snapshots, changes: () => changes };
}

test('a valid config is put in force and told on once', () => {
  const { intake, give, changes } = makeIntake();
  assert.throws(() => intake.requireConfig(), MeshError);
  give(MESH);
  give(`${MESH}# the same\n`);
  assert.equal(changes(), 1);
  intake.requireConfig();
});

test('each error of an invalid config is one line with its place', () => {
  const { intake, give, log, counts, changes } = makeIntake();
  give(`${MESH}  users: { prt: 1, cals: [] }\n`);
  const errors = log.lines.filter(({ level }) => level === 'error');
  assert.deepEqual(
    errors.map(({ fields }) => [fields['code'], fields['file'], fields['line'], fields['path']]),
    [
      ['config-invalid', 'weft.yaml', 5, 'services.users.prt'],
      ['config-invalid', 'weft.yaml', 5, 'services.users.cals'],
    ],
  );
  assert.match(errors[0]?.message ?? '', /^weft\.yaml:5:12: error: services\.users\.prt/);
  assert.deepEqual([counts.invalidConfigs, changes()], [1, 0]);
  assert.throws(
    () => intake.requireConfig(),
    (error) => error instanceof MeshError && /prt.*\(and 1 more\)/.test(error.detail),
  );
});

test('an invalid edit leaves the config before it in force', () => {
  const { give, log, snapshots, changes } = makeIntake();
  give(MESH);
  const { snapshot } = snapshots;
  give('version: 1\nservices: [');
  assert.equal(snapshots.snapshot, snapshot);
  assert.equal(changes(), 1);
  assert.equal(log.lines.at(-1)?.message, 'the edit is not valid, the configuration before it stays');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamTable } from '../../../../control-plane/server/stream-table.ts';

test('a newer stream of an instance takes the place of the older, also among those of its account', () => {
  const table = new StreamTable<{ key: string; account: string }>();
  const [older, newer, other] = ['a/1', 'a/1', 'a/2'].map((key) => ({ key, account: 'a' }));
  assert.ok(older && newer && other);
  table.add(older);
  table.add(other);
  table.add(newer);
  assert.deepEqual([...table.ofAccount('a')], [other, newer]);
  table.remove(older);
  assert.equal(table.get('a/1'), newer);
  table.remove(newer);
  assert.deepEqual([...table.values()], [other]);
  table.remove(other);
  assert.deepEqual([[...table.ofAccount('a')], [...table.values()]], [[], []]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isOperatorName, mayDo, operatorId, operatorOf, ROLES } from '../../../../certs/policy/operator.ts';
import { identityOf } from '../../../../certs/policy/names.ts';
import { parseSpiffeId } from '../../../../certs/spiffe/spiffe-id.ts';
import type { SpiffeId } from '../../../../core/model/brand.ts';

test('an operator comes back from the id that was made of it, whatever the name', () => {
  const name = fc.stringMatching(/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/);
  fc.assert(
    fc.property(name, fc.constantFrom(...ROLES), (given, role) => {
      assert.ok(isOperatorName(given));
      const id = operatorId('shop.test', { name: given, role });
      assert.ok(parseSpiffeId(id).ok, id);
      assert.deepEqual(operatorOf(id), { name: given, role });
    }),
  );
});

test('nothing else names an operator: no workload, no other role, no longer path', () => {
  const ids = [
    'operator/root/eve',
    'operator/admin',
    'operator/admin/eve/x',
    'operator/admin/EVE',
    'operators/admin/eve',
    'ns/operator/sa/admin',
  ];
  for (const path of ids) assert.equal(operatorOf(`spiffe://shop.test/${path}` as SpiffeId), null, path);
  assert.equal(operatorOf(identityOf('shop.test', 'operator')), null);
  for (const name of ['', '.', '..', '-a', 'a-', 'a/b', 'ä', 'a b', 'a'.repeat(64)])
    assert.ok(!isOperatorName(name), name);
});

test('a role may do what those before it may, and no more', () => {
  const may = ROLES.map((has) => ROLES.map((needed) => mayDo(has, needed)));
  assert.deepEqual(may, [
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ]);
});

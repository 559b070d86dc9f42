import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeActions } from '../../../control-plane/change-actions.ts';
import type { Changes } from '../../../control-plane/snapshot/changes.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { err } from '../../../core/kit/result.ts';

/** As far as the actions use it. */
function actionsOf(changes: Partial<Pick<Changes, 'plan' | 'apply' | 'rollback'>>) {
  const actions = changeActions(changes as Changes, () => []);
  return async (path: string, body: string) => {
    const reply = await actions[path]?.(new URLSearchParams(), body);
    return [reply?.status, JSON.parse(reply?.body ?? 'null')] as const;
  };
}

test('a request that means nothing is refused before anything is asked of the configuration', async () => {
  const ask = actionsOf({});
  assert.deepEqual(await ask('/apply', 'garbage'), [400, { kind: 'failed', message: 'the request is not JSON' }]);
  const many = Array.from({ length: 257 }, () => ({ name: 'a', text: '' }));
  for (const body of [{}, { files: [] }, { files: [{ name: 1 }] }, { files: many }, null, 5]) {
    const [status] = await ask('/plan', JSON.stringify(body));
    assert.equal(status, 400, JSON.stringify(body).slice(0, 60));
  }
});

test('who asked is one line, and a store that fails is said', async () => {
  const asked: string[] = [];
  const ask = actionsOf({
    rollback: async (hash, who) => {
      asked.push(hash, who);
      return err({ kind: 'unknown', known: [] });
    },
    apply: async () => {
      throw new MeshError('file-unreadable', { detail: 'the disk is full' });
    },
  });
  assert.deepEqual(await ask('/rollback', JSON.stringify({ hash: 'ab', who: 'eve\n\u001b[2Jadam' })), [
    404,
    { kind: 'unknown', known: [] },
  ]);
  assert.deepEqual(asked, ['ab', 'eve  [2Jadam']);
  const [status, answer] = await ask('/apply', JSON.stringify({ files: [{ name: 'a', text: '' }] }));
  assert.equal(status, 500);
  assert.match((answer as { message: string }).message, /^nothing was changed: .*the disk is full/);
});

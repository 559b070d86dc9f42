// The heap is compacted once, at the first quiet moment, and not where warm code would be lost.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { execPath } from 'node:process';
import { describe, it } from 'node:test';
import { compactWhenQuiet } from '../../../host/compact-heap.ts';
import { PROXY_NODE_FLAGS } from '../../../host/node-flags.ts';

/** How often it compacted after `looks`, each of which says how many µs were spent since the one before. */
function compactions(looks: readonly number[]): number[] {
  const compacted: number[] = [];
  let spent = 1_000_000;
  let due: (() => void) | null = null;
  compactWhenQuiet({
    cpu: () => spent,
    after: (_ms, call) => {
      due = call;
    },
    compact: () => compacted.push(spent),
  });
  const next = (): (() => void) | null => due;
  for (const us of looks) {
    spent += us;
    const call = next();
    due = null;
    call?.();
  }
  return compacted;
}

describe('what a start leaves behind', () => {
  it('goes at the first quiet moment, once', () => {
    assert.deepEqual(compactions([700_000, 50_000, 10_000, 10_000, 900_000, 0]), [1_760_000]);
  });

  it('stays where the proxy had a second of work before', () => {
    assert.deepEqual(compactions([1_100_000, 0, 0]), []);
    assert.deepEqual(compactions([...Array.from({ length: 11 }, () => 100_000), 0, 0]), []);
  });

  it('goes by the flags that a proxy is started with', () => {
    const url = new URL('../../../host/compact-heap.ts', import.meta.url).href;
    const code = `import { compactWhenQuiet } from '${url}';
      const dropped = new WeakRef(Array.from({ length: 10 }));
      const watch = setInterval(() => {
        if (dropped.deref() !== undefined) return;
        console.log('collected');
        clearInterval(watch);
      }, 2_500);
      compactWhenQuiet();`;
    const { stdout } = spawnSync(execPath, [...PROXY_NODE_FLAGS, '--input-type=module', '-e', code], {
      timeout: 30_000,
    });
    assert.equal(stdout.toString(), 'collected\n');
  });
});

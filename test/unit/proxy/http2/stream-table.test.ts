import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StreamTable } from '../../../../proxy/http2/stream-table.ts';

test('a table of streams has what a map would have, whatever was opened and ended in whatever order', () => {
  const step = fc.record({ gap: fc.nat(40), end: fc.option(fc.nat(200)), ask: fc.nat(400) });
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 300 }), (odd, steps) => {
      const table = new StreamTable<{ readonly id: number }>();
      const map = new Map<number, { readonly id: number }>();
      let id = odd ? 1 : 2;
      for (const { gap, end, ask } of steps) {
        const stream = { id };
        table.add(stream);
        map.set(id, stream);
        id += 2 + gap * 2;
        const ended = end === null ? undefined : [...map.keys()][end % map.size];
        if (ended !== undefined) assert.equal(table.delete(ended), map.delete(ended));
        assert.equal(table.delete(ask), map.delete(ask));
        assert.equal(table.get(ask + 1), map.get(ask + 1));
        assert.equal(table.size, map.size);
      }
      for (const [key, stream] of map) assert.equal(table.get(key), stream);
      assert.deepEqual(table.all(), [...map.values()]);
    }),
  );
});

test('a stream that stays open among thousands that end is still found', () => {
  const table = new StreamTable<{ readonly id: number }>();
  const first = { id: 1 };
  table.add(first);
  for (let id = 3; id < 20_000; id += 2) {
    table.add({ id });
    assert.equal(table.get(1), first);
    assert.equal(table.delete(id), true);
  }
  assert.deepEqual(table.all(), [first]);
});

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { Watches } from '../../../../control-plane/api/watches.ts';

interface Item {
  readonly name: string;
  readonly value: number;
}
type Line =
  | { readonly type: 'item'; readonly item: Item }
  | { readonly type: 'removed'; readonly name: string }
  | { readonly type: 'synced'; readonly snapshot: string | null }
  | { readonly type: 'idle' | 'end' };

/** A response whose reader takes lines when the test says so, and that has room for a few. */
class SlowResponse extends EventEmitter {
  readonly taken: Line[] = [];
  readonly #room: number;
  #buffer: string[] = [];
  destroyed = false;
  most = 0;

  constructor(room: number) {
    super();
    this.#room = room;
  }

  get writableNeedDrain(): boolean {
    return this.#buffer.length >= this.#room;
  }

  writeHead(): void {}

  write(line: string): void {
    this.#buffer.push(line);
    this.most = Math.max(this.most, this.#buffer.length);
  }

  end(line: string): void {
    this.write(line);
  }

  destroy(): void {
    this.destroyed = true;
  }

  /** The reader takes everything that is there. */
  take(): void {
    const full = this.writableNeedDrain;
    const lines = this.#buffer;
    this.#buffer = [];
    for (const line of lines) this.taken.push(JSON.parse(line) as Line);
    if (full) this.emit('drain');
  }

  /** What a reader believes who has followed every line. */
  get believed(): ReadonlyMap<string, number> {
    const items = new Map<string, number>();
    for (const line of this.taken) {
      if (line.type === 'item') items.set(line.item.name, line.item.value);
      else if (line.type === 'removed') items.delete(line.name);
    }
    return items;
  }

  get response(): ServerResponse {
    // As much of one as Watches uses.
    return this as unknown as ServerResponse;
  }
}

function world(t: TestContext, options: { readonly idle?: number; readonly longest?: number } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  let items: readonly Item[] = [];
  let snapshot: string | null = 'a';
  let reads = 0;
  const watches = new Watches({
    read: () => {
      reads++;
      return { snapshot, items };
    },
    now: () => now,
    after: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
    ...options,
  });
  return {
    watches,
    reads: () => reads,
    set: (next: readonly Item[], hash: string | null = snapshot) => {
      items = next;
      snapshot = hash;
    },
    pass: (ms: number) => {
      now += ms;
      t.mock.timers.tick(ms);
    },
    open: (room = 1_000, life = Number.POSITIVE_INFINITY) => {
      const slow = new SlowResponse(room);
      return { slow, opened: watches.open('services', slow.response, life) };
    },
  };
}

const item = (name: string, value = 0): Item => ({ name, value });

test('a reader gets every item, then only what changes, and one look serves all readers', (t) => {
  const { set, pass, open, reads } = world(t);
  set([item('a'), item('b')]);
  const [one, two] = [open().slow, open().slow];
  one.take();
  assert.deepEqual(
    one.taken.map(({ type }) => type),
    ['item', 'item', 'synced'],
  );
  const before = reads();
  pass(1_000);
  assert.equal(reads(), before + 1);
  one.take();
  assert.equal(one.taken.length, 3);
  set([item('b', 1), item('c')]);
  pass(1_000);
  for (const each of [one, two]) {
    each.take();
    assert.deepEqual(each.taken.slice(3), [
      { type: 'removed', name: 'a' },
      { type: 'item', item: item('b', 1) },
      { type: 'item', item: item('c') },
    ]);
  }
  set([item('b', 1), item('c')], 'b');
  pass(1_000);
  one.take();
  assert.deepEqual(one.taken.at(-1), { type: 'synced', snapshot: 'b' });
});

test('of two items with one name the first counts, as of a snapshot that is in force again', (t) => {
  const { set, pass, open } = world(t);
  set([item('b', 1), item('a', 1)]);
  const { slow } = open();
  set([item('a', 2), item('b', 2), item('a', 1)]);
  pass(1_000);
  slow.take();
  assert.deepEqual(
    [...slow.believed],
    [
      ['b', 2],
      ['a', 2],
    ],
  );
});

test('a reader however slow ends at what is newest, and no more than it has room for waits for it', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('set' as const),
      items: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(3)),
    }),
    fc.constant({ kind: 'tick' as const }),
    fc.constant({ kind: 'take' as const }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), (steps, room) => {
      let tick: (() => void) | null = null;
      const after = (_ms: number, work: () => void) => {
        tick = work;
        return () => {
          tick = null;
        };
      };
      let items: readonly Item[] = [];
      const watches = new Watches({ read: () => ({ snapshot: null, items }), now: () => 0, after });
      const slow = new SlowResponse(room);
      watches.open('services', slow.response, 1_000);
      const turn = () => {
        const work = tick;
        tick = null;
        work?.();
      };
      for (const each of steps) {
        if (each.kind === 'set') items = Object.entries(each.items).map(([name, value]) => item(name, value));
        else if (each.kind === 'tick') turn();
        else slow.take();
      }
      for (let i = 0; i < 40; i++) {
        slow.take();
        turn();
      }
      slow.take();
      assert.deepEqual(
        [...slow.believed].toSorted(),
        items.map(({ name, value }) => [name, value]).toSorted() as [string, number][],
      );
      assert.ok(slow.most <= room, `${slow.most} lines waited`);
    }),
    { numRuns: 300 },
  );
});

test('silence is said, time is up when the caller loses its right, and a reader that takes nothing is let go', (t) => {
  const { set, pass, open } = world(t, { idle: 5_000 });
  set([item('a'), item('b')]);
  const quiet = open().slow;
  const short = open(1_000, 3_000).slow;
  const stuck = open(1).slow;
  for (let i = 0; i < 6; i++) pass(1_000);
  quiet.take();
  short.take();
  assert.deepEqual(quiet.taken.at(-1), { type: 'idle' });
  assert.equal(short.taken.at(-1)?.type, 'end');
  for (let i = 0; i < 60; i++) pass(1_000);
  assert.ok(stuck.destroyed);
  assert.ok(!quiet.destroyed);
});

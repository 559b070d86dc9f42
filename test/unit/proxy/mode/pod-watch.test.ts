import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PodWatch } from '../../../../proxy/mode/pod-watch.ts';

function setUp() {
  const state = { announced: null as string | null, moved: 0, joined: false, cancelled: false };
  let look: () => Promise<void> = async () => {};
  const watch = new PodWatch({
    announced: async () => state.announced,
    current: async () => 'net:[1]',
    every: (_ms, each) => {
      look = each;
      return () => {
        state.cancelled = true;
      };
    },
    onMoved: () => {
      state.moved += 1;
    },
  });
  watch.start();
  void watch.joined.then(() => {
    state.joined = true;
  });
  const looks = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) await look();
    await Promise.resolve();
  };
  return { state, watch, looks };
}

test('waits until the pod has announced the namespace that this process is in', async () => {
  const { state, looks } = setUp();
  await looks(10);
  assert.equal(state.joined, false);
  state.announced = 'net:[1]';
  await looks(1);
  assert.deepEqual(state, { announced: 'net:[1]', moved: 0, joined: true, cancelled: false });
});

test('an announcement of an earlier run is given the time to be replaced', async () => {
  const { state, looks } = setUp();
  state.announced = 'net:[0]';
  await looks(3);
  state.announced = 'net:[1]';
  await looks(1);
  assert.deepEqual([state.joined, state.moved], [true, 0]);
});

test('says once that the pod is elsewhere; an announcement that is missing says nothing', async () => {
  const { state, looks } = setUp();
  state.announced = 'net:[1]';
  await looks(1);
  state.announced = null;
  await looks(10);
  assert.equal(state.moved, 0);
  state.announced = 'net:[2]';
  await looks(3);
  assert.equal(state.moved, 0);
  await looks(5);
  assert.deepEqual([state.moved, state.cancelled], [1, true]);
});

test('closing ends the waiting', async () => {
  const { state, watch, looks } = setUp();
  watch.close();
  await looks(0);
  assert.deepEqual([state.joined, state.cancelled, state.moved], [true, true, 0]);
});

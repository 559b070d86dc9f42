// The frames of a body, followed for every split.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameWatch } from '../../../../proxy/filter/grpc-frames.ts';

function frame(message: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

test('messages pass in any pieces, and only between two of them is the body whole', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 7 }), (all, step) => {
      const body = Buffer.concat(all.map((message) => frame(message, message.length % 2)));
      const ends = new Set(
        all.map((_, index) => Buffer.concat(all.slice(0, index + 1).map((each) => frame(each))).length),
      );
      const watch = new FrameWatch();
      for (let at = 0; at < body.length; at += step) {
        assert.ok(watch.pass(body.subarray(at, at + step)));
        assert.equal(watch.whole, ends.has(Math.min(at + step, body.length)));
      }
    }),
  );
});

test('a frame with other flags than those of a message is none', () => {
  for (const flags of [2, 0x80, 0xff]) assert.equal(new FrameWatch().pass(frame(Buffer.alloc(0), flags)), false);
  const watch = new FrameWatch();
  assert.ok(watch.pass(frame(Buffer.from('a'))));
  assert.equal(watch.pass(Buffer.from([0x80])), false);
});

test('a length of 4 GiB is only a number', () => {
  const watch = new FrameWatch();
  assert.ok(watch.pass(Buffer.from([0, 255, 255, 255, 255, 1, 2, 3])));
  assert.equal(watch.whole, false);
});

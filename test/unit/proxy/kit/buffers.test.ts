import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detached, GrowingBuffer, PieceList, WriteBatch } from '../../../../proxy/kit/buffers.ts';
import { FakeSocket } from '../http1/fake-socket.ts';

test('gathered pieces come back in order, whatever their sizes', () => {
  const gathered = new GrowingBuffer();
  let expected = '';
  for (let i = 0; i < 200; i++) {
    const piece = `<${String.fromCharCode(33 + (i % 90)).repeat(i)}>`;
    gathered.append(Buffer.from(`--${piece}--`, 'latin1'), 2, 2 + piece.length);
    expected += piece;
  }
  assert.equal(gathered.latin1(0), expected);
  assert.equal(gathered.latin1(5), expected.slice(5));
  gathered.clear();
  assert.equal(gathered.length, 0);
  assert.equal(gathered.latin1(0), '');
});

test('small pieces become one write', () => {
  const socket = new FakeSocket();
  const batch = new WriteBatch(socket.asSocket);
  for (const piece of ['a', 'bc', '', 'd']) assert.equal(batch.add(Buffer.from(piece)), false);
  batch.flush();
  batch.flush();
  assert.equal(socket.writes.length, 1);
  assert.equal(socket.written, 'abcd');
});

test('text and bytes become one write of the same bytes, also those above 127', () => {
  for (const size of [10, 5_000, 20_000]) {
    const socket = new FakeSocket();
    const batch = new WriteBatch(socket.asSocket);
    const bytes = Buffer.alloc(size, Buffer.from([0, 13, 10, 0x7f, 0x80, 0xe9, 0xff]));
    batch.add('caf\xe9\r\n');
    batch.add(bytes);
    batch.add('end');
    assert.equal(batch.length, size + 9);
    batch.flush();
    assert.equal(socket.written, `caf\xe9\r\n${bytes.toString('latin1')}end`);
  }
});

test('large pieces are written as they are and asked to be flushed', () => {
  const socket = new FakeSocket();
  const batch = new WriteBatch(socket.asSocket);
  const large = Buffer.alloc(70_000, 'x');
  batch.add(Buffer.from('a'));
  assert.equal(batch.add(large), true);
  batch.flush();
  assert.equal(socket.writes[1], large);
  assert.equal(batch.length, 0);
});

test('what is cleared is not written', () => {
  const socket = new FakeSocket();
  const batch = new WriteBatch(socket.asSocket);
  batch.add(Buffer.from('a'));
  batch.clear();
  batch.flush();
  assert.equal(socket.writes.length, 0);
});

test('a detached string has the same characters', () => {
  assert.equal(detached('caf\xe9'), 'caf\xe9');
});

test('small pieces between large ones are one write, and every byte goes out in its order', () => {
  const socket = new FakeSocket();
  const { writes } = socket;
  const batch = new WriteBatch(socket.asSocket);
  const sizes = [3, 5, 20_000, 2, 7, 2, 30_000, 1];
  for (const [index, size] of sizes.entries()) batch.add(Buffer.alloc(size, index));
  batch.flush();
  assert.deepEqual(
    writes.map(({ length }) => length),
    [8, 20_000, 11, 30_000, 1],
  );
  assert.ok(Buffer.concat(writes).equals(Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index)))));
});

test('a list of pieces keeps the bytes in their order, in few pieces however small they come', () => {
  const list = new PieceList();
  for (let i = 0; i < 65_536; i++) list.add(Buffer.from([i & 0xff]));
  assert.equal(list.length, 65_536);
  assert.ok(list.pieces.length <= 16 + 256);
  const whole = Buffer.concat([...list.pieces]);
  for (let i = 0; i < 65_536; i += 97) assert.equal(whole[i], i & 0xff);
});

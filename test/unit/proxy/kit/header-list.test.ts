import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';

function list(...fields: string[]): HeaderList {
  const headers = new HeaderList();
  for (let i = 0; i < fields.length; i += 2) headers.add(fields[i] as string, fields[i + 1] as string);
  return headers;
}

test('look-ups do not mind case, the list keeps it', () => {
  const headers = list('X-A', '1', 'x-a', '2', 'X-B', '3');
  assert.equal(headers.get('x-a'), '1');
  assert.deepEqual(headers.getAll('x-a'), ['1', '2']);
  assert.equal(headers.get('x-c'), undefined);
  assert.deepEqual(headers.fields, ['X-A', '1', 'x-a', '2', 'X-B', '3']);
  assert.equal(headers.count, 3);
});

test('set replaces every field of the name at the place of the first, or appends', () => {
  const headers = list('X-A', '1', 'X-B', '2', 'x-a', '3');
  headers.set('x-a', '4');
  headers.set('x-c', '5');
  assert.deepEqual(headers.fields, ['X-A', '4', 'X-B', '2', 'x-c', '5']);
});

test('remove takes every field of the name, removePrefix every one that begins so', () => {
  const headers = list('X-Weft-A', '1', 'X-B', '2', 'x-weft-c', '3', 'X-B', '4', 'X-Wef', '5');
  headers.removePrefix('x-weft-');
  assert.deepEqual(headers.fields, ['X-B', '2', 'X-B', '4', 'X-Wef', '5']);
  headers.remove('x-b');
  assert.deepEqual(headers.fields, ['X-Wef', '5']);
});

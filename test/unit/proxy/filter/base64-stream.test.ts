// Base64 in pieces: equal to the whole for every split, and strict.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Base64Decoder } from '../../../../proxy/filter/base64-stream.ts';

/** null: refused on the way. */
function decode(pieces: readonly string[]): { readonly bytes: Buffer; readonly whole: boolean } | null {
  const decoder = new Base64Decoder();
  const all: Buffer[] = [];
  for (const piece of pieces) {
    const bytes = decoder.decode(Buffer.from(piece, 'latin1'));
    if (bytes === null) return null;
    all.push(bytes);
  }
  return { bytes: Buffer.concat(all), whole: decoder.whole };
}

test('any text in any pieces is what it was, each run of it padded or not', () => {
  const runs = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 });
  fc.assert(
    fc.property(runs, fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 40 }), (parts, cuts) => {
      const text = parts.map((part) => Buffer.from(part).toString('base64')).join('');
      const pieces: string[] = [];
      for (let at = 0, turn = 0; at < text.length; turn++) {
        const size = Math.max(cuts[turn % cuts.length] ?? 1, 1);
        pieces.push(text.slice(at, at + size));
        at += size;
      }
      const decoded = decode(pieces);
      assert.ok(decoded?.bytes.equals(Buffer.concat(parts)) === true && decoded.whole);
    }),
  );
});

test('what is no base64 is refused', () => {
  for (const text of ['=', 'A=', 'A===', 'AA=A', 'AA=\n', 'AAA!', 'AAAA ', 'AA-_', 'AAAA=', '\u00ff\u00ffAA']) {
    assert.equal(decode([text]), null, JSON.stringify(text));
    assert.equal(decode(text.split('')), null, JSON.stringify(text));
  }
});

test('an end inside a group is known', () => {
  for (const text of ['A', 'AA', 'AAA', 'AA=', 'AAAAA']) assert.equal(decode([text])?.whole, false, text);
  for (const text of ['', 'AAAA', 'AA==', 'AAA=']) assert.equal(decode([text])?.whole, true, text);
});

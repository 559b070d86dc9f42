import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FrameHandler, FrameReader, lengthBytes } from '../../../../proxy/tcp/frames.ts';

/** What comes out, as text; data that came in pieces is one. */
class Heard implements FrameHandler {
  readonly lines: string[] = [];
  #data = '';

  get all(): string {
    return [...this.lines, ...(this.#data === '' ? [] : [`data ${this.#data}`])].join('; ');
  }

  onStatus(status: number): void {
    this.#say(`status ${status}`);
  }

  onData(chunk: Buffer): void {
    this.#data += chunk.toString('hex');
  }

  onEnd(): void {
    this.#say('end');
  }

  onInvalid(reason: string): void {
    this.#say(`invalid: ${reason}`);
  }

  #say(line: string): void {
    if (this.#data !== '') this.lines.push(`data ${this.#data}`);
    this.#data = '';
    this.lines.push(line);
  }
}

function read(chunks: readonly Uint8Array[], wantsStatus: boolean): string {
  const heard = new Heard();
  const reader = new FrameReader(heard, wantsStatus);
  for (const chunk of chunks) {
    if (heard.all.includes('invalid')) break;
    reader.read(Buffer.from(chunk));
  }
  return heard.all;
}

const frame = (bytes: Uint8Array): Buffer => Buffer.concat([lengthBytes(bytes.length), bytes]);

test('frames come out as they went in, for every split', () => {
  const payload = fc.uint8Array({ minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(payload, { maxLength: 5 }), fc.boolean(), fc.array(fc.nat(8)), (payloads, ends, cuts) => {
      const wire = Buffer.concat([lengthBytes(0), ...payloads.map(frame), ...(ends ? [lengthBytes(0)] : [])]);
      const pieces: Buffer[] = [];
      let at = 0;
      for (const cut of cuts) {
        pieces.push(wire.subarray(at, at + cut));
        at += cut;
      }
      pieces.push(wire.subarray(at));
      const data = Buffer.concat(payloads).toString('hex');
      const expected = ['status 0', ...(data === '' ? [] : [`data ${data}`]), ...(ends ? ['end'] : [])].join('; ');
      assert.equal(read(pieces, true), expected);
      assert.equal(read([wire], true), expected);
    }),
  );
});

test('what breaks the rules is said once, and nothing after it', () => {
  assert.equal(read([Buffer.from('01000000', 'hex')], false), 'invalid: a frame is too long');
  assert.equal(read([Buffer.from('ffffffff00', 'hex')], false), 'invalid: a frame is too long');
  assert.equal(read([Buffer.from('0000000000', 'hex')], false), 'end; invalid: bytes after the end');
  assert.equal(read([Buffer.from('00000001aa0000000000', 'hex')], false), 'data aa; end; invalid: bytes after the end');
});

import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';
import fc from 'fast-check';
import { LONGEST_HELLO, readClientHello } from '../../../../proxy/tcp/client-hello.ts';

/** What Node's own TLS begins with. */
function helloOf(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((done) => {
    const wire = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, next) => {
        done(chunk);
        next();
        wire.destroy();
      },
    });
    connect({ ...options, socket: wire, rejectUnauthorized: false }).on('error', () => {});
  });
}

const REAL = await helloOf({ servername: 'DB.Shop.test', ALPNProtocols: ['h2', 'postgresql'] });

/** The same message in records of these many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const fragment = message.subarray(at, at + size);
    parts.push(Buffer.from([22, 3, 1, fragment.length >> 8, fragment.length & 0xff]), fragment);
  }
  return Buffer.concat(parts);
}

/** A hello of these extensions, each its type and content in hex. */
function made(extensions: readonly (readonly [type: number, content: string])[], cut = 0): Buffer {
  const list = Buffer.concat(
    extensions.map(([type, content]) => {
      const bytes = Buffer.from(content, 'hex');
      return Buffer.concat([Buffer.from([type >> 8, type & 0xff, bytes.length >> 8, bytes.length & 0xff]), bytes]);
    }),
  );
  const body = Buffer.concat([
    Buffer.from('0303', 'hex'),
    Buffer.alloc(32, 7),
    Buffer.from('00' + '0002' + '1301' + '0100', 'hex'),
    Buffer.from([list.length >> 8, list.length & 0xff]),
    list.subarray(0, list.length - cut),
  ]);
  const message = Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 0xff]), body]);
  return Buffer.concat([Buffer.from([22, 3, 1, message.length >> 8, message.length & 0xff]), message]);
}

const name = (text: string, type = 0): string => {
  const bytes = Buffer.from(text, 'latin1').toString('hex');
  const length = (size: number): string => size.toString(16).padStart(4, '0');
  const entry = `0${type}${length(bytes.length / 2)}${bytes}`;
  return length(entry.length / 2) + entry;
};

test('the name that a real client asks for is read, in lower case', async () => {
  assert.deepEqual(readClientHello(REAL), { kind: 'hello', serverName: 'db.shop.test' });
  const nameless = await helloOf({ maxVersion: 'TLSv1.2', servername: '' });
  assert.deepEqual(readClientHello(nameless), { kind: 'hello', serverName: '' });
});

test('every split wants more until the last byte, and so does every way to put the hello into records', () => {
  for (let length = 0; length < REAL.length; length++) {
    assert.equal(readClientHello(REAL.subarray(0, length)).kind, 'more', `after ${length} bytes`);
  }
  for (const size of [64, 100, 511]) {
    const split = inRecords(REAL, size);
    assert.equal(readClientHello(split).kind, 'hello', `records of ${size} bytes`);
    for (let length = 0; length < split.length; length += 7) {
      assert.equal(readClientHello(split.subarray(0, length)).kind, 'more');
    }
  }
});

test('a hello that comes byte by byte is looked at where that can tell something, not after every byte', () => {
  for (const bytes of [REAL, inRecords(REAL, 100)]) {
    const records = Math.ceil(REAL.length / 100);
    let looks = 0;
    let least = 0;
    for (let length = 1; length <= bytes.length; length++) {
      if (length < least) continue;
      looks += 1;
      const read = readClientHello(bytes.subarray(0, length));
      if (read.kind === 'more') least = read.least;
      else assert.deepEqual([read.kind, length], ['hello', bytes.length]);
    }
    assert.ok(looks < 15 + 7 * records, `${looks} looks`);
  }
});

test('what follows the hello does not matter', () => {
  assert.equal(readClientHello(Buffer.concat([REAL, Buffer.from('1703030005', 'hex')])).kind, 'hello');
});

const HOSTILE: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
  ['SSH', Buffer.from('SSH-2.0-x\r\n')],
  ['an SSLv2 hello', Buffer.from('802e0100020015', 'hex')],
  ['another record first', Buffer.from('1703010005', 'hex')],
  ['another version', Buffer.from('1604010005', 'hex')],
  ['an empty record', Buffer.from('1603010000', 'hex')],
  ['a record that is too long', Buffer.from('160301ffff', 'hex')],
  ['another message first', Buffer.from('160301000402000000', 'hex')],
  ['a hello that would be 16 MiB', Buffer.from('160301000401ffffff', 'hex')],
  ['a hello in records of one byte', inRecords(REAL, 1)],
  [
    'two names',
    made([
      [0, name('a.test')],
      [0, name('b.test')],
    ]),
  ],
  ['an empty list of names', made([[0, '0000']])],
  ['an empty name', made([[0, name('')]])],
  ['a name of another type', made([[0, name('a.test', 1)]])],
  ['a name with a zero byte', made([[0, name('a.test\0.evil.test')]])],
  ['a name with a space', made([[0, name('a test')]])],
  ['a name with a last dot', made([[0, name('a.test.')]])],
  ['a name that is too long', made([[0, name('a'.repeat(254))]])],
  ['a name longer than its list', made([[0, `0003${name('a.test').slice(4)}`]])],
  ['bytes behind the list', made([[0, `${name('a.test')}00`]])],
  ['extensions that are cut off', made([[0, name('a.test')]], 3)],
];

for (const [what, bytes] of HOSTILE) {
  test(`refused: ${what}`, () => {
    assert.equal(readClientHello(bytes).kind, 'invalid');
  });
}

test('a hello as long as is allowed is read, one byte more is not', () => {
  const base =
    made([
      [0, name('a.test')],
      [21, ''],
    ]).length -
    5 -
    4;
  const padded = (size: number): Buffer =>
    made([
      [0, name('a.test')],
      [21, '00'.repeat(size)],
    ]);
  assert.equal(readClientHello(inRecords(padded(LONGEST_HELLO - base), 8_192)).kind, 'hello');
  assert.equal(readClientHello(inRecords(padded(LONGEST_HELLO - base + 1), 8_192)).kind, 'invalid');
});

test('any change of a hello has an outcome, and no name comes out that cannot be one', () => {
  fc.assert(
    fc.property(fc.nat(REAL.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(64), (at, value, cut) => {
      const bytes = Buffer.from(REAL.subarray(0, REAL.length - cut));
      if (at < bytes.length) bytes[at] = value;
      const read = readClientHello(bytes);
      if (read.kind === 'hello') assert.match(read.serverName, /^[a-z0-9._-]*$/);
    }),
    { numRuns: 2_000 },
  );
});

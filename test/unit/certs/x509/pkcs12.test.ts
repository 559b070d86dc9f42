import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, test, type TestContext } from 'node:test';
import { createSecureContext } from 'node:tls';
import fc from 'fast-check';
import { generateKeyPair, privateKeyPem, sameKey, type KeyKind } from '../../../../certs/x509/key.ts';
import { certificatesPem } from '../../../../certs/x509/pem.ts';
import { isPkcs12, readPkcs12 } from '../../../../certs/x509/pkcs12-reader.ts';
import { makePkcs12 } from '../../../../certs/x509/pkcs12-writer.ts';
import { craftAuthority, craftLeaf } from '../../../support/crafted-certificates.ts';
import { openssl } from '../../../support/openssl.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const root = craftAuthority('root');
const leaf = craftLeaf(root, { name: 'leaf' });
const chain = [leaf.der, root.der];
/** Neither ASCII nor Latin-1: encodings differ in it. */
const PASSWORD = 'pässwörd Ω';

const made = new Map<string, Buffer>();

/** Most of a second each: made once. */
function ours(password = PASSWORD): Buffer {
  const parts = { key: leaf.keys.privateKey, chain, password, name: 'orders' };
  const file = made.get(password) ?? makePkcs12(parts, randomBytes);
  made.set(password, file);
  return file;
}

async function theirs(t: TestContext, ...options: string[]): Promise<Buffer> {
  const folder = await temporaryFolder(t);
  const [key, certs, out] = ['key', 'certs', 'out'].map((name) => join(folder, name)) as [string, string, string];
  await writeFile(key, privateKeyPem(leaf.keys.privateKey));
  await writeFile(certs, certificatesPem(chain));
  const files = ['-inkey', key, '-in', certs, '-out', out, '-passout', `pass:${PASSWORD}`];
  await openssl(['pkcs12', '-export', ...files, ...options]);
  return readFile(out);
}

test('what is written is read back: the key and the whole chain, leaf first', async () => {
  for (const password of [PASSWORD, '']) {
    const read = await readPkcs12(ours(password), password);
    assert.ok(read.ok, read.ok ? '' : read.error);
    assert.deepEqual(read.value.certificates, chain);
    assert.equal(read.value.keys.length, 1);
    assert.ok(sameKey((read.value.keys[0] ?? leaf.keys).publicKey, leaf.keys.publicKey));
  }
});

test('keys of every kind go through', async () => {
  for (const kind of ['ed25519', 'rsa2048'] satisfies KeyKind[]) {
    const keys = generateKeyPair(kind);
    const file = makePkcs12({ key: keys.privateKey, chain, password: 'x', name: 'orders' }, randomBytes);
    const read = await readPkcs12(file, 'x');
    assert.ok(read.ok && sameKey((read.value.keys[0] ?? leaf.keys).publicKey, keys.publicKey), kind);
  }
});

test('openssl opens it and finds today’s ciphers; Node makes a TLS context of it', async (t) => {
  const path = join(await temporaryFolder(t), 'p12');
  await writeFile(path, ours());
  const said = await openssl(['pkcs12', '-in', path, '-passin', `pass:${PASSWORD}`, '-nodes', '-info']);
  assert.match(said, /MAC: sha256/);
  assert.equal(said.match(/AES-256-CBC/g)?.length, 2);
  assert.equal(said.match(/BEGIN CERTIFICATE/g)?.length, 2);
  assert.match(said, /friendlyName: orders/);
  assert.match(said, /BEGIN PRIVATE KEY/);
  createSecureContext({ pfx: ours(), passphrase: PASSWORD });
});

test('neither key nor certificates are readable without the password', () => {
  const file = ours();
  assert.equal(file.indexOf(leaf.der.subarray(40, 80)), -1);
  assert.equal(file.indexOf(leaf.keys.privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(36, 60)), -1);
});

describe('files that openssl made are read', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['as it makes them today', []],
    ['with the ciphers of before, RC2 and 3DES', ['-legacy']],
    ['not encrypted at all', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
    ['without a MAC', ['-nomac']],
    ['with a MAC of SHA-512', ['-macalg', 'sha512']],
    ['with AES-128', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC']],
  ];
  for (const [what, options] of cases) {
    it(what, async (t) => {
      const file = await theirs(t, ...options);
      const read = await readPkcs12(file, PASSWORD);
      assert.ok(read.ok, read.ok ? '' : read.error);
      assert.equal(read.value.certificates.length, 2);
      assert.ok(sameKey((read.value.keys[0] ?? leaf.keys).publicKey, leaf.keys.publicKey));
      if (options.includes('-keypbe') && options.includes('NONE') && options.includes('-nomac')) return;
      assert.deepEqual(await readPkcs12(file, 'wrong'), { ok: false, error: 'another password opens it' });
    });
  }
});

test('a file in BER, of lengths that are not said, is read like one in DER', async (t) => {
  const der = await theirs(t);
  // 30 82 xx xx …: the same with an end mark in place of the length.
  const ber = Buffer.concat([Uint8Array.of(0x30, 0x80), der.subarray(4), Uint8Array.of(0, 0)]);
  assert.equal(await isPkcs12(ber), true);
  const read = await readPkcs12(ber, PASSWORD);
  assert.ok(read.ok, read.ok ? '' : read.error);
  assert.deepEqual(read.value.certificates[0], leaf.der);
});

test('a file that asks for minutes of work is refused at once, in its MAC and in its ciphers', async (t) => {
  for (const options of [[], ['-nomac'], ['-nomac', '-legacy']]) {
    // 70,000 rounds become 8,388,607: the same number of bytes.
    const file = await theirs(t, '-iter', '70000', ...options);
    const began = performance.now();
    const read = await readPkcs12(patched(file, Buffer.from('0203011170', 'hex'), '02037fffff'), PASSWORD);
    assert.ok(!read.ok);
    assert.match(read.error, /8388607 rounds/);
    assert.ok(performance.now() - began < 1_000);
  }
});

test('what is none, or is cut off, is said to be that', async () => {
  for (const bytes of [Buffer.from('x'), leaf.der, ours().subarray(0, -1), Buffer.alloc(0)]) {
    const read = await readPkcs12(bytes, PASSWORD);
    assert.ok(!read.ok);
    assert.match(read.error, /^not a PKCS#12 file that can be read: /);
  }
  assert.equal(await isPkcs12(leaf.der), false);
  assert.equal(await isPkcs12(ours()), true);
});

test('with any byte changed it is read or refused, never more', async (t) => {
  const file = await theirs(t, '-iter', '1', '-macalg', 'sha256');
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: file.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ change;
      const read = await readPkcs12(changed, PASSWORD);
      assert.equal(typeof read.ok, 'boolean');
    }),
    { numRuns: 150 },
  );
});

function patched(file: Buffer, what: Buffer, by: string): Buffer {
  const copy = Buffer.from(file);
  for (let at = copy.indexOf(what); at >= 0; at = copy.indexOf(what, at + 1)) copy.write(by, at, 'hex');
  return copy;
}

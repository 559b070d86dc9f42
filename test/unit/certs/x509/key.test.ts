import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  describeKey,
  encryptedKeyPem,
  generateKeyPair,
  isEncryptedKey,
  KEY_KINDS,
  privateKeyPem,
  readPrivateKey,
  sameKey,
} from '../../../../certs/x509/key.ts';
import { openssl } from '../../../support/openssl.ts';

const PASSPHRASE = 'kœrrekt horse';

test('keys of every kind are made, described, written and read', () => {
  const names = KEY_KINDS.map((kind) => {
    const keys = generateKeyPair(kind);
    const read = readPrivateKey(privateKeyPem(keys.privateKey));
    assert.ok(read.ok && sameKey(read.value.publicKey, keys.publicKey), kind);
    return describeKey(keys.publicKey);
  });
  assert.deepEqual(names, ['ECDSA P-256', 'ECDSA P-384', 'Ed25519', 'RSA 2048 bits', 'RSA 3072 bits', 'RSA 4096 bits']);
});

test('an encrypted key opens with its passphrase alone, here and in openssl', async () => {
  const keys = generateKeyPair();
  const pem = encryptedKeyPem(keys.privateKey, PASSPHRASE, randomBytes);
  assert.ok(isEncryptedKey(pem));
  assert.ok(!isEncryptedKey(privateKeyPem(keys.privateKey)));
  const read = readPrivateKey(pem, PASSPHRASE);
  assert.ok(read.ok && sameKey(read.value.publicKey, keys.publicKey));
  assert.deepEqual(readPrivateKey(pem, 'wrong'), { ok: false, error: 'another passphrase opens it' });
  assert.match(readPrivateKey(pem).ok ? '' : 'refused', /refused/);
  const shown = await openssl(['pkey', '-passin', `pass:${PASSPHRASE}`, '-pubout'], pem);
  assert.equal(shown.trim(), keys.publicKey.export({ type: 'spki', format: 'pem' }).toString().trim());
  await assert.rejects(openssl(['pkey', '-passin', 'pass:wrong', '-noout'], pem));
});

test('its passphrase is made into a key by scrypt, with a salt of its own each time', async () => {
  const { privateKey } = generateKeyPair();
  const [one, other] = [1, 2].map(() => encryptedKeyPem(privateKey, PASSPHRASE, randomBytes)) as [string, string];
  assert.notEqual(one, other);
  const parsed = await openssl(['asn1parse'], one);
  assert.match(parsed, /PBES2[^]*:scrypt[^]*:4000[^]*:08[^]*:05[^]*:aes-256-cbc/);
});

test('what cannot be read is said without a word of it', () => {
  for (const text of ['', 'secret', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n']) {
    const read = readPrivateKey(text, null);
    assert.deepEqual(read, { ok: false, error: 'not an unencrypted private key in PEM' });
  }
});

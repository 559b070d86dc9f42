import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { serverNames, svidNames, identityOf, edgeOf } from '../../../../certs/policy/names.ts';
import { admitKey, admitRequest } from '../../../../certs/policy/request-policy.ts';
import { makeCsr } from '../../../../certs/x509/csr.ts';
import { generateKeyPair } from '../../../../certs/x509/key.ts';
import { openssl } from '../../../support/openssl.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const ORDERS = svidNames(identityOf('shop.test', 'orders'), []);

test('a request may name what its sender is, or nothing', () => {
  assert.equal(admitRequest(makeCsr(generateKeyPair()), ORDERS).ok, true);
  assert.equal(admitRequest(makeCsr(generateKeyPair(), ORDERS), ORDERS).ok, true);
});

test('a request for anybody else, or for a DNS name besides, is refused', () => {
  const payments = svidNames(identityOf('shop.test', 'payments'), []);
  for (const names of [payments, [...ORDERS, ...payments], [...ORDERS, { kind: 'dns' as const, value: 'localhost' }]]) {
    const admitted = admitRequest(makeCsr(generateKeyPair(), names), ORDERS);
    assert.ok(!admitted.ok);
    assert.equal(admitted.error.code, 'csr-refused');
    assert.match(admitted.error.detail, /which its sender is not/);
  }
});

test('what is no request is refused', () => {
  const admitted = admitRequest(Buffer.from('no'), ORDERS);
  assert.ok(!admitted.ok && admitted.error.code === 'csr-refused');
});

test('weak and strange keys are refused, strong ones of four kinds are not', () => {
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).publicKey;
  assert.equal(admitKey(ec('P-256')).ok, true);
  assert.equal(admitKey(ec('P-384')).ok, true);
  assert.equal(admitKey(generateKeyPairSync('ed25519').publicKey).ok, true);
  assert.equal(admitKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey).ok, true);
  assert.deepEqual(admitKey(ec('secp256k1')), { ok: false, error: 'a key on the curve secp256k1' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  assert.deepEqual(admitKey(rsa), { ok: false, error: 'an RSA key of 1024 bits' });
  assert.equal(admitKey(generateKeyPairSync('x25519').publicKey).ok, false);
});

test('a request with a weak key is refused even though it holds', async (t) => {
  const folder = await temporaryFolder(t);
  const out = join(folder, 'csr');
  const key = ['-newkey', 'rsa:1024', '-nodes', '-keyout', join(folder, 'key')];
  await openssl(['req', '-new', ...key, '-subj', '/', '-outform', 'DER', '-out', out]);
  const admitted = admitRequest(await readFile(out), ORDERS);
  assert.ok(!admitted.ok && /1024 bits/.test(admitted.error.detail));
});

test("an edge's certificate names its hosts, loopback, and no identity", () => {
  assert.deepEqual(serverNames(['api.shop.test', '*', 'localhost']), [
    { kind: 'dns', value: 'api.shop.test' },
    { kind: 'dns', value: 'localhost' },
    { kind: 'ip', value: '127.0.0.1' },
    { kind: 'ip', value: '::1' },
  ]);
  assert.equal(edgeOf('edge-main'), 'main');
  assert.equal(edgeOf('orders'), null);
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuthority } from '../../../../certs/authority/authority-folder.ts';
import { importAuthority, type ImportOptions } from '../../../../certs/authority/authority-import.ts';
import { readAuthority } from '../../../../certs/authority/authority-reader.ts';
import { identityOf } from '../../../../certs/policy/names.ts';
import { verifySvid } from '../../../../certs/spiffe/chain.ts';
import { Secret } from '../../../../certs/token/secret.ts';
import { generateKeyPair } from '../../../../certs/x509/key.ts';
import {
  craftAuthority,
  craftLeaf,
  DAY,
  nameConstraints,
  weakRsaKeys,
  type AuthorityCraft,
  type Crafted,
} from '../../../support/crafted-certificates.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const ambient = { clock: Date.now, random: randomBytes };
const root = craftAuthority('Corp Root');

function options(from: Crafted, others: readonly Crafted[], change: Partial<ImportOptions> = {}): ImportOptions {
  return {
    ...ambient,
    trustDomain: 'shop.test',
    certificates: [...others, from].map(({ der }) => der),
    keys: from.keys,
    signCommand: null,
    keepRootKey: false,
    passphrase: null,
    ...change,
  };
}

async function signs(dir: string, passphrase: Secret | null = null): Promise<void> {
  const authority = await openAuthority(dir, { ...ambient, passphrase });
  const identity = identityOf('shop.test', 'orders');
  const { chain, bundle } = await authority.signSvid({ publicKey: generateKeyPair().publicKey, identity });
  const peer = verifySvid({ chain, bundle, now: Date.now(), trustDomain: 'shop.test', identity, role: 'server' });
  assert.ok(peer.ok, peer.ok ? '' : peer.error);
}

test('under a root an intermediate is made; its key stays away, or is kept where that is asked for', async (t) => {
  const folder = await temporaryFolder(t);
  const away = join(folder, 'away');
  assert.equal(await importAuthority(away, options(root, [])), 'root');
  await signs(away);
  assert.deepEqual((await readdir(away)).toSorted(), [
    'authority.json',
    'intermediate.key',
    'intermediate.pem',
    'root.pem',
  ]);
  for (const name of await readdir(away)) assert.equal((await stat(join(away, name))).mode & 0o777, 0o600, name);
  const kept = join(folder, 'kept');
  await importAuthority(kept, options(root, [], { keepRootKey: true }));
  assert.ok((await readdir(kept)).includes('root.key'));
});

test('a chain of intermediates is put in order, whatever the order in which it came', async (t) => {
  const dir = join(await temporaryFolder(t), 'ca');
  const upper = craftAuthority('Upper', { issuer: root });
  const lower = craftAuthority('Lower', { issuer: upper });
  assert.equal(await importAuthority(dir, options(lower, [root, upper])), 'intermediate');
  await signs(dir);
  const { chain, roots } = await readAuthority(dir);
  assert.deepEqual(
    [...chain, ...roots].map(({ der }) => der),
    [lower, upper, root].map(({ der }) => der),
  );
});

test('its keys are encrypted where a passphrase is given, and then nothing opens without it', async (t) => {
  const dir = join(await temporaryFolder(t), 'ca');
  const passphrase = new Secret('a passphrase');
  await importAuthority(dir, options(root, [], { passphrase, keepRootKey: true }));
  for (const name of ['root.key', 'intermediate.key']) {
    assert.match(await readFile(join(dir, name), 'utf8'), /BEGIN ENCRYPTED PRIVATE KEY/);
  }
  await signs(dir, passphrase);
  await assert.rejects(openAuthority(dir, ambient), { code: 'key-locked' });
  await assert.rejects(openAuthority(dir, { ...ambient, passphrase: new Secret('wrong') }), { code: 'key-locked' });
  // Whoever only verifies needs no key.
  assert.equal((await readAuthority(dir)).trustDomain, 'shop.test');
});

test('what peers would refuse is refused here, with the reason, and nothing is written', async (t) => {
  const under = (change: AuthorityCraft): ImportOptions =>
    options(craftAuthority('Below', { issuer: root, ...change }), [root]);
  const flat = craftAuthority('Flat', { pathLength: 0 });
  const cases: readonly (readonly [ImportOptions, RegExp])[] = [
    [under({ extensions: [nameConstraints(['.other.test'])] }), /may not certify the name spiffe:\/\/shop.test/],
    [under({ notAfter: Date.now() - 1_000 }), /expired|ended/],
    [under({ notBefore: Date.now() + DAY }), /not valid before/],
    [under({ usage: ['cRLSign'] }), /may not sign certificates/],
    [under({ isAuthority: false }), /not the certificate of an authority/],
    [options(craftLeaf(root, { names: [] }), [root]), /not the certificate of an authority/],
    [options(craftAuthority('Weak', { issuer: root, keys: weakRsaKeys() }), [root]), /RSA key of 1024 bits/],
    [options(flat, []), /may not have 1 authorities below it/],
    [options(craftAuthority('Below', { issuer: root }), []), /needs the root/],
    [
      options(craftAuthority('Below', { issuer: root }), [craftAuthority('Corp Root')]),
      /another authority of the same name/,
    ],
    [options(root, [], { keys: generateKeyPair() }), /the key is that of none/],
    [options(root, [], { keys: null, signCommand: ['true'] }), /here is only a root/],
    [options(root, [], { trustDomain: 'Not One' }), /cannot be a trust domain/],
    [options(root, [], { svidLife: 91 * DAY }), /between 1 h and 90 d/],
    [options(root, [], { certificates: [Buffer.from('x')] }), /cannot be read/],
  ];
  for (const [asked, why] of cases) {
    const dir = join(await temporaryFolder(t), 'ca');
    await assert.rejects(importAuthority(dir, asked), (error: { code?: string; detail?: string }) => {
      assert.ok(['usage', 'authority-expired'].includes(error.code ?? ''), error.code);
      assert.match(error.detail ?? '', why);
      return true;
    });
    await assert.rejects(stat(dir), { code: 'ENOENT' });
  }
});

test('an authority that is there is not written over', async (t) => {
  const dir = join(await temporaryFolder(t), 'ca');
  await importAuthority(dir, options(root, []));
  await assert.rejects(importAuthority(dir, options(root, [])), { code: 'authority-exists' });
});

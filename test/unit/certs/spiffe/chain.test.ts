import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { verifyChain, verifySvid, type ChainQuestion } from '../../../../certs/spiffe/chain.ts';
import { verifyPeer, type ExpectedPeer } from '../../../../certs/spiffe/peer.ts';
import { issueCrl } from '../../../../certs/x509/crl.ts';
import { extendedKeyUsage } from '../../../../certs/x509/extensions.ts';
import type { GeneralName } from '../../../../certs/x509/general-name.ts';
import { generateKeyPair, keyIdOf } from '../../../../certs/x509/key.ts';
import { OID } from '../../../../certs/x509/oids.ts';
import { spiffeId } from '../../../../core/model/brand.ts';
import {
  craftAuthority,
  craftLeaf,
  DAY,
  nameConstraints,
  unknownCritical,
  weakRsaKeys,
  type Crafted,
  type LeafCraft,
} from '../../../support/crafted-certificates.ts';

const NOW = Date.now();
const ORDERS = spiffeId('shop.test', 'default', 'orders');
const uri = (value: string): GeneralName => ({ kind: 'uri', value });
const ID = [uri(ORDERS)];

const root = craftAuthority('shop.test root', { pathLength: 1 });
const intermediate = craftAuthority('shop.test issuing 1', { issuer: root, pathLength: 0 });
const good = craftLeaf(intermediate, { names: ID });

type Question = Partial<ChainQuestion & ExpectedPeer>;

function reason(leaf: Uint8Array, question: Question = {}): string {
  const asked = { chain: [leaf, intermediate.der], bundle: [root.der], now: NOW, trustDomain: 'shop.test' };
  const peer = verifySvid({ ...asked, ...question });
  return peer.ok ? 'accepted' : peer.error;
}

const leafReason = (options: LeafCraft, question: Question = {}): string =>
  reason(craftLeaf(intermediate, { names: ID, ...options }).der, question);

const below = (issuer: Crafted, names: readonly GeneralName[] = ID): Question => ({
  chain: [craftLeaf(issuer, { names }).der, issuer.der, intermediate.der],
});

function listOf(serial: string, issuer: Crafted): Buffer {
  const keyId = keyIdOf(issuer.keys.publicKey);
  return issueCrl(
    {
      number: 1,
      thisUpdate: NOW,
      nextUpdate: NOW + DAY,
      revoked: [{ serial, revokedAt: NOW - 1_000, reason: 'keyCompromise' }],
    },
    { ...issuer.keys, subject: issuer.subject, keyId },
  );
}

test('a right certificate is accepted, as client and as server, for its identity', () => {
  assert.equal(reason(good.der), 'accepted');
  for (const role of ['client', 'server'] as const)
    assert.equal(reason(good.der, { role, identity: ORDERS }), 'accepted');
  assert.equal(reason(good.der, { crls: [listOf('0102', intermediate)] }), 'accepted');
});

test('the path that was found comes with it, from the leaf to the root', () => {
  const found = verifyChain({ chain: [good.der, intermediate.der], bundle: [root.der], now: NOW });
  assert.ok(found.ok);
  assert.deepEqual(
    found.value.path.map(({ serial }) => serial),
    [good.serial, intermediate.serial, root.serial],
  );
});

describe('the matrix of wrong certificates: each is refused, and why is said', () => {
  const cases: readonly (readonly [string, () => string, RegExp])[] = [
    ['expired', () => leafReason({ notAfter: NOW - 1_000 }), /^its certificate expired on 20/],
    ['not yet valid', () => leafReason({ notBefore: NOW + 60_000 }), /^its certificate is not valid before 20/],
    [
      'of another trust domain',
      () => leafReason({ names: [uri('spiffe://other.test/ns/default/sa/orders')] }),
      /of another trust domain/,
    ],
    ['without a URI name', () => leafReason({ names: [{ kind: 'dns', value: 'orders' }] }), /has 0 URI names/],
    ['without any name', () => leafReason({ names: [] }), /has 0 URI names/],
    ['with two URI names', () => leafReason({ names: [...ID, uri(`${ORDERS}2`)] }), /has 2 URI names/],
    ['with the id of a trust domain', () => leafReason({ names: [uri('spiffe://shop.test')] }), /names a trust domain/],
    ['with a URI that is no SPIFFE id', () => leafReason({ names: [uri('https://shop.test/')] }), /not a SPIFFE id/],
    ['that is an authority', () => leafReason({ isAuthority: true }), /one of an authority/],
    [
      'that may sign certificates',
      () => leafReason({ usage: ['digitalSignature', 'keyCertSign'] }),
      /not for signing handshakes alone/,
    ],
    ['without a key usage', () => leafReason({ usage: null }), /not for signing handshakes alone/],
    [
      'of a server, used by a client',
      () => leafReason({ extended: ['serverAuth'] }, { role: 'client' }),
      /not for clients/,
    ],
    [
      'of a client, used by a server',
      () => leafReason({ extended: ['clientAuth'] }, { role: 'server' }),
      /not for servers/,
    ],
    [
      'by an authority for other names',
      () =>
        reason(good.der, {
          ...below(craftAuthority('limited', { issuer: root, extensions: [nameConstraints(['.other.test'])] })),
        }),
      /^its authority may not certify the name spiffe:/,
    ],
    [
      'by an authority that may not certify this name',
      () =>
        reason(good.der, {
          ...below(craftAuthority('limited', { issuer: root, extensions: [nameConstraints([], ['shop.test'])] })),
        }),
      /^its authority may not certify the name spiffe:/,
    ],
    [
      'with name constraints of its own',
      () => leafReason({ more: [nameConstraints(['shop.test'])] }),
      /only an authority/,
    ],
    ['with an RSA key of 1,024 bits', () => leafReason({ keys: weakRsaKeys() }), /an RSA key of 1024 bits/],
    [
      'with a key on a small curve',
      () => leafReason({ keys: generateKeyPairSync('ec', { namedCurve: 'secp224r1' }) }),
      /a key on the curve secp224r1/,
    ],
    ['signed with SHA-1', () => leafReason({ hash: 'sha1' }), /a signature by ECDSA with SHA-1, which is not accepted/],
    ['with an unknown critical extension', () => leafReason({ more: [unknownCritical()] }), /critical extension/],
    ['cut off', () => reason(good.der.subarray(0, -9)), /cannot be read: breaks off/],
    ['with bytes after its end', () => reason(Buffer.concat([good.der, Buffer.alloc(1)])), /bytes after the end/],
    ['that is none', () => reason(Buffer.from('not a certificate')), /cannot be read/],
    [
      'revoked',
      () => reason(good.der, { crls: [listOf(good.serial, intermediate)] }),
      /^its certificate was revoked on 20.*\(keyCompromise\)$/,
    ],
    [
      'whose authority was revoked',
      () => reason(good.der, { crls: [listOf(intermediate.serial, root)] }),
      /authority above it was revoked/,
    ],
    [
      'right, but of another identity than the cluster has',
      () => reason(good.der, { identity: spiffeId('shop.test', 'default', 'payments') }),
      /^it is spiffe:.*\/orders, not spiffe:.*\/payments$/,
    ],
    [
      'of an unknown root',
      () => reason(good.der, { bundle: [craftAuthority('other').der] }),
      /nobody of the bundle signed/,
    ],
    [
      'of another authority with the same name',
      () => reason(good.der, { bundle: [craftAuthority('shop.test root').der] }),
      /another authority of the same name signed/,
    ],
    ['without its intermediate', () => reason(good.der, { chain: [good.der] }), /nobody of the bundle signed its/],
    ['that another certificate signed', () => reason(good.der, below(good)), /not one of an authority/],
    [
      'by an authority too deep',
      () => reason(good.der, below(craftAuthority('deep', { issuer: intermediate }))),
      /may not have 1 authorities below it/,
    ],
    [
      'by one that may not sign',
      () => reason(good.der, below(craftAuthority('mute', { issuer: root, usage: ['cRLSign'] }))),
      /may not sign certificates/,
    ],
    [
      'by an authority that expired',
      () => reason(good.der, below(craftAuthority('old', { issuer: root, notAfter: NOW - 1 }))),
      /authority above it expired/,
    ],
    ['under a root that expired', () => reason(good.der, { now: NOW + 2 * DAY }), /expired/],
    [
      'with a signature of another key',
      () => {
        const forged = craftLeaf({ ...intermediate, keys: generateKeyPair() }, { names: ID, keys: good.keys });
        return reason(forged.der);
      },
      /another authority of the same name|does not hold/,
    ],
    [
      'changed after it was signed',
      () => {
        const changed = Buffer.from(good.der);
        const at = changed.indexOf('sa/orders');
        changed.write('sa/orderz', at, 'latin1');
        return reason(changed);
      },
      /the signature of its certificate does not hold/,
    ],
    [
      'with two signature algorithms',
      () => leafReason({ innerAlgorithm: OID.ecdsaWithSha384 }),
      /two different signature algorithms/,
    ],
    ['that is not there', () => reason(good.der, { chain: [] }), /has no certificate/],
    ['among too many', () => reason(good.der, { chain: new Array<Buffer>(40).fill(good.der) }), /more than 32/],
  ];
  for (const [what, found, why] of cases) it(`a certificate ${what}`, () => assert.match(found(), why));
});

test('a chain that goes round in circles ends', () => {
  const [one, other] = [generateKeyPair(), generateKeyPair()];
  const first = craftAuthority('one', { keys: one });
  const second = craftAuthority('other', { keys: other, issuer: first });
  const back = craftAuthority('one', { keys: one, issuer: second });
  assert.match(
    reason(good.der, { chain: [craftLeaf(back, { names: ID }).der, back.der, second.der] }),
    /nobody|more than/,
  );
});

test('what a handshake leaves to be looked at is refused by the leaf alone', () => {
  const why = (options: LeafCraft, expected: Partial<ExpectedPeer> = {}): string => {
    const peer = verifyPeer(craftLeaf(intermediate, { names: ID, ...options }).der, {
      trustDomain: 'shop.test',
      ...expected,
    });
    return peer.ok ? 'accepted' : peer.error;
  };
  assert.equal(why({}, { role: 'client' }), 'accepted');
  assert.match(why({ extended: ['serverAuth'] }, { role: 'client' }), /not for clients/);
  assert.match(why({ extended: ['clientAuth'] }, { role: 'server' }), /not for servers/);
  assert.match(why({ more: [nameConstraints(['shop.test'])] }), /name constraints/);
  assert.match(why({ more: [unknownCritical()] }), /critical extension/);
});

test('a list of revoked certificates counts only with the signature of the issuer', () => {
  const stranger = { ...intermediate, keys: generateKeyPair() };
  assert.equal(reason(good.der, { crls: [listOf(good.serial, stranger)] }), 'accepted');
  assert.equal(reason(good.der, { crls: [listOf(good.serial, root)] }), 'accepted');
  // The right key under another's name: a list of somebody else's certificates.
  const renamed = { ...intermediate, subject: root.subject };
  assert.equal(reason(good.der, { crls: [listOf(good.serial, renamed)] }), 'accepted');
  assert.match(reason(good.der, { crls: [Buffer.from('x')] }), /list of revoked certificates cannot be read/);
});

test('a chain without an identity is verified by the same rules: of an authority, or for another use, it is refused', () => {
  const why = (leaf: Crafted, role?: 'client' | 'server', above = intermediate): string => {
    const chain = [leaf.der, above.der];
    const found = verifyChain({ chain, bundle: [root.der], now: NOW, ...(role === undefined ? {} : { role }) });
    return found.ok ? 'accepted' : found.error;
  };
  const server = craftLeaf(intermediate, { names: [{ kind: 'dns', value: 'a.test' }], extended: ['serverAuth'] });
  assert.equal(why(server, 'server'), 'accepted');
  assert.equal(why(server), 'accepted');
  assert.match(why(server, 'client'), /^its certificate is not for clients$/);
  assert.match(why(craftLeaf(intermediate, { isAuthority: true })), /one of an authority/);
  const limited = craftAuthority('limited', { issuer: root, extensions: [extendedKeyUsage(['clientAuth'])] });
  const below = craftLeaf(limited, { names: ID });
  assert.equal(why(below, 'client', limited), 'accepted');
  assert.match(why(below, 'server', limited), /authority above it is not for servers$/);
});

test('name constraints permit what they name: hosts by name, domains by a dot', () => {
  const under = (base: string): string =>
    reason(good.der, below(craftAuthority('limited', { issuer: root, extensions: [nameConstraints([base])] })));
  assert.equal(under('shop.test'), 'accepted');
  assert.equal(under('.test'), 'accepted');
  assert.match(under('.shop.test'), /may not certify/);
  assert.match(under('hop.test'), /may not certify/);
});

test('no certificate that differs in a single bit is accepted, wherever in the chain it stands', () => {
  const chain = [good.der, intermediate.der];
  fc.assert(
    fc.property(fc.nat({ max: 1 }), fc.nat(), fc.nat({ max: 7 }), (which, place, bit) => {
      const changed = Buffer.from(chain[which] ?? good.der);
      const at = place % changed.length;
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      const shown = chain.map((der, i) => (i === which ? changed : der));
      assert.notEqual(reason(good.der, { chain: shown }), 'accepted');
    }),
    { numRuns: 400 },
  );
});

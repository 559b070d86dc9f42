import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { viewCertificate } from '../../../../certs/x509/certificate-view.ts';
import { describeName } from '../../../../certs/x509/name.ts';
import { artifactsOf } from '../../../../control-plane/cli/ca/artifacts.ts';
import { factsOf, headline, problemsOf } from '../../../../control-plane/cli/ca/words.ts';
import { craftAuthority, craftLeaf, nameConstraints, unknownCritical } from '../../../support/crafted-certificates.ts';
import { openssl } from '../../../support/openssl.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const root = craftAuthority('root', { extensions: [nameConstraints(['.shop.test'], ['.evil.test'])] });
const leaf = craftLeaf(root, { names: [{ kind: 'dns', value: 'a.shop.test' }], more: [unknownCritical()] });

test('what would be refused is shown, with why it would be', () => {
  const view = viewCertificate(leaf.der);
  assert.ok(view.ok);
  assert.deepEqual(view.value.names, [{ kind: 'dns', value: 'a.shop.test' }]);
  assert.deepEqual(view.value.otherExtensions, [{ id: '1.3.6.1.4.1.99999.1', critical: true }]);
  assert.deepEqual(view.value.problems, ['a critical extension that is not understood']);
  assert.equal(view.value.isAuthority, false);
  assert.equal(view.value.issuer, 'CN=root');
});

test('what an authority may certify is shown', () => {
  const view = viewCertificate(root.der);
  assert.ok(view.ok && view.value.isSelfIssued);
  assert.deepEqual(view.value.nameConstraints, {
    permitted: [{ kind: 'uri', base: '.shop.test' }],
    excluded: [{ kind: 'uri', base: '.evil.test' }],
  });
});

test('a certificate of version 1, without extensions, is shown, and would be refused', async (t) => {
  const folder = await temporaryFolder(t);
  const [key, request, out] = ['key', 'csr', 'pem'].map((name) => join(folder, name)) as [string, string, string];
  const make = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  await openssl(['req', '-new', ...make, '-subj', '/C=DE/O=Old/CN=old', '-out', request]);
  await openssl(['x509', '-req', '-in', request, '-signkey', key, '-outform', 'DER', '-out', out]);
  const view = viewCertificate(await readFile(out));
  assert.ok(view.ok, view.ok ? '' : view.error);
  assert.deepEqual([view.value.version, view.value.subject, view.value.names], [1, 'CN=old, O=Old, C=DE', []]);
  assert.equal(view.value.problems.length, 1);
});

test('a name that cannot be read is said to be that', () => {
  assert.equal(describeName(Buffer.from('3000', 'hex')), '');
  assert.equal(describeName(Buffer.from('x')), '(a name that cannot be read)');
});

test('any bytes, and any certificate with a byte changed, are shown or refused, never more', async () => {
  const look = async (bytes: Buffer): Promise<void> => {
    const artifacts = await artifactsOf(bytes, null);
    for (const artifact of artifacts.ok ? artifacts.value : []) {
      assert.ok(headline(artifact).length > 0);
      factsOf(artifact, Date.now());
      problemsOf(artifact, Date.now());
    }
  };
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => look(Buffer.from(bytes))),
    { numRuns: 100 },
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, change) => {
      const changed = Buffer.from(root.der);
      const at = place % changed.length;
      changed[at] = (changed[at] ?? 0) ^ change;
      await look(changed);
    }),
    { numRuns: 300 },
  );
});

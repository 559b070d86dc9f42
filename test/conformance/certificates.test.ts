// zlint, the linter of public authorities, and openssl's strict verification on everything that an authority of ours gives
// out, with every kind of key. Lints of the RFCs and of the community are all asked for; those of browsers and of the
// CA/Browser Forum are about the public web (revocation addresses, policies, certificate transparency, public names only)
// and do not apply to an authority that nobody but its own mesh trusts.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { initAuthority, openAuthority } from '../../certs/authority/authority-folder.ts';
import { readAuthority } from '../../certs/authority/authority-reader.ts';
import { identityOf } from '../../certs/policy/names.ts';
import { issueCrl } from '../../certs/x509/crl.ts';
import { generateKeyPair, KEY_KINDS, keyIdOf, readPrivateKey, type KeyKind } from '../../certs/x509/key.ts';
import { certificatesPem, pemOf } from '../../certs/x509/pem.ts';
import { openssl } from '../support/openssl.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { goTool } from './go-tool.ts';

const SOURCES = 'RFC3279,RFC5280,RFC5480,RFC5891,RFC6962,RFC8813,Community';
/** Of some 150: fewer that say "pass" would mean that it did not see what it was given. */
const LEAST_PASSED = 60;
const DAY = 86_400_000;
const random = randomBytes;

let zlint = '';

before(async () => {
  zlint = await goTool('zlint', 'github.com/zmap/zlint/v3/cmd/zlint');
});

interface Lint {
  readonly result: string;
}

/** Names of lints that warn or fail, and how many passed. */
function lint(file: string): Promise<{ readonly findings: readonly string[]; readonly passed: number }> {
  return new Promise((done, fail) => {
    execFile(zlint, ['-includeSources', SOURCES, file], { timeout: 60_000, maxBuffer: 4_194_304 }, (error, stdout) => {
      if (error !== null) return fail(error);
      const lints = Object.entries(JSON.parse(stdout) as Record<string, Lint>);
      const found = lints.filter(([, { result }]) => ['warn', 'error', 'fatal'].includes(result));
      const passed = lints.filter(([, { result }]) => result === 'pass').length;
      done({ findings: found.map(([name, { result }]) => `${name}: ${result}`), passed });
    });
  });
}

interface Made {
  readonly dir: string;
  /** Name of the file → what it may be used as. */
  readonly leaves: ReadonlyMap<string, readonly string[]>;
  readonly svidSerial: string;
}

async function makeAll(t: TestContext, keyKind: KeyKind): Promise<Made> {
  const dir = await temporaryFolder(t);
  const ambient = { clock: Date.now, random };
  await initAuthority(dir, { ...ambient, trustDomain: 'shop.test', keyKind });
  const authority = await openAuthority(dir, ambient);
  const { publicKey } = generateKeyPair(keyKind);
  const svid = await authority.signSvid({ publicKey, identity: identityOf('shop.test', 'orders') });
  const hosts = ['api.shop.test', '*.shop.test', '10.0.0.1', 'fd00::1'];
  const issued = {
    svid,
    controlPlane: await authority.signSvid({
      publicKey,
      identity: identityOf('shop.test', 'weft-control-plane'),
      hosts: ['weft-control-plane'],
    }),
    server: await authority.signServerCertificate({ publicKey, hosts }),
    client: await authority.signClient({ publicKey, name: 'alice@shop.test', life: 90 * DAY }),
    operator: await authority.signOperator({ publicKey, name: 'alice', role: 'admin', life: 90 * DAY }),
  };
  const both = ['sslserver', 'sslclient'];
  const leaves = new Map<string, readonly string[]>();
  for (const [name, { chain }] of Object.entries(issued)) {
    await writeFile(join(dir, `${name}.pem`), certificatesPem(chain.slice(0, 1)));
    const usage = name === 'server' ? ['sslserver'] : ['client', 'operator'].includes(name) ? ['sslclient'] : both;
    leaves.set(`${name}.pem`, usage);
  }
  return { dir, leaves, svidSerial: svid.serial };
}

for (const kind of KEY_KINDS) {
  describe(`an authority with keys of the kind ${kind}`, () => {
    it('gives out nothing in which zlint finds anything, and openssl verifies all of it strictly', async (t) => {
      const { dir, leaves } = await makeAll(t, kind);
      for (const name of ['root.pem', 'intermediate.pem', ...leaves.keys()]) {
        const { findings, passed } = await lint(join(dir, name));
        assert.deepEqual(findings, [], name);
        assert.ok(passed >= LEAST_PASSED, `${name}: ${passed} lints passed`);
      }
      const trust = ['-x509_strict', '-CAfile', join(dir, 'root.pem'), '-untrusted', join(dir, 'intermediate.pem')];
      for (const [name, purposes] of leaves) {
        for (const purpose of ['sslserver', 'sslclient']) {
          const verified = openssl(['verify', ...trust, '-purpose', purpose, join(dir, name)]);
          if (purposes.includes(purpose)) assert.match(await verified, /: OK/, name);
          else await assert.rejects(verified, /unsuitable certificate purpose|error 26/, `${name} as ${purpose}`);
        }
      }
    });

    it('signs lists of revoked certificates that openssl goes by', async (t) => {
      const { dir, svidSerial } = await makeAll(t, kind);
      const authority = await openAuthority(dir, { clock: Date.now, random });
      const [root] = (await readAuthority(dir)).roots;
      const rootKeys = readPrivateKey(await readFile(join(dir, 'root.key'), 'utf8'));
      assert.ok(root !== undefined && rootKeys.ok);
      const now = Date.now();
      const revoked = [{ serial: svidSerial, revokedAt: now - DAY, reason: 'keyCompromise' as const }];
      const rootIssuer = {
        ...rootKeys.value,
        subject: root.fields.subject,
        keyId: keyIdOf(root.parsed.publicKey),
      };
      const lists = new Map([
        ['intermediate', await authority.signCrl(7, revoked, DAY)],
        ['root', issueCrl({ number: 7, thisUpdate: now, nextUpdate: now + DAY, revoked: [] }, rootIssuer)],
      ]);
      for (const [name, crl] of lists) {
        const file = join(dir, `${name}.crl`);
        await writeFile(file, pemOf('X509 CRL', crl));
        const said = await openssl(['crl', '-in', file, '-noout', '-CAfile', join(dir, `${name}.pem`)]);
        assert.match(said, /verify OK/);
        assert.deepEqual((await lint(file)).findings, [], file);
      }
      await writeFile(join(dir, 'all.crl'), [...lists.values()].map((crl) => pemOf('X509 CRL', crl)).join(''));
      const trust = ['-x509_strict', '-CAfile', join(dir, 'root.pem'), '-untrusted', join(dir, 'intermediate.pem')];
      const check = [...trust, '-crl_check_all', '-CRLfile', join(dir, 'all.crl')];
      assert.match(await openssl(['verify', ...check, join(dir, 'server.pem')]), /: OK/);
      await assert.rejects(openssl(['verify', ...check, join(dir, 'svid.pem')]), /certificate revoked/);
    });
  });
}

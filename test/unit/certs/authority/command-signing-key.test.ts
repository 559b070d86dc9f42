import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { commandSigningKey } from '../../../../certs/authority/command-signing-key.ts';
import { generateKeyPair, privateKeyPem, type KeyKind, type KeyPair } from '../../../../certs/x509/key.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const CONTENT = Buffer.from('to be signed');

/** A command of somebody's: the body has `input`, `key`, `sign`, `env` and says what is written. */
async function command(t: TestContext, keys: KeyPair, body: string): Promise<readonly string[]> {
  const folder = await temporaryFolder(t);
  const script = join(folder, 'sign.mjs');
  await writeFile(join(folder, 'key.pem'), privateKeyPem(keys.privateKey));
  await writeFile(
    script,
    `import { readFileSync } from 'node:fs';
import { createPrivateKey, sign } from 'node:crypto';
const { env } = process;
const key = createPrivateKey(readFileSync(${JSON.stringify(join(folder, 'key.pem'))}));
const input = readFileSync(0);
${body}
`,
  );
  return [process.execPath, script];
}

const RAW = "process.stdout.write(sign(env.WEFT_SIGN_ALGORITHM.includes('384') ? 'sha384' : 'sha256', input, key));";

test('it gets what is to be signed, and what it writes is the signature, raw or in base64', async (t) => {
  const kinds: readonly (readonly [KeyKind, string])[] = [
    ['p256', RAW],
    ['p384', RAW],
    ['rsa2048', "process.stdout.write(sign('sha256', input, key).toString('base64').replace(/.{64}/g, '$&\\n'));"],
    ['ed25519', "console.log(sign(null, input, key).toString('base64'));"],
  ];
  for (const [kind, body] of kinds) {
    const keys = generateKeyPair(kind);
    const key = commandSigningKey(await command(t, keys, body), keys.publicKey);
    // It verifies what it gives back.
    assert.ok((await key.sign(CONTENT)).length >= 64, kind);
  }
});

test('it is told the algorithm and the digest, for services that sign no more than that', async (t) => {
  const keys = generateKeyPair();
  const words = 'ECDSA P-256 with SHA256';
  const body = `if (env.WEFT_SIGN_ALGORITHM !== '${words}') process.exit(9);
const { createHash } = await import('node:crypto');
if (env.WEFT_SIGN_DIGEST !== createHash('sha256').update(input).digest('hex')) process.exit(8);
${RAW}`;
  await commandSigningKey(await command(t, keys, body), keys.publicKey).sign(CONTENT);
});

test('a signature of another key is noticed before anybody gets it', async (t) => {
  const key = commandSigningKey(await command(t, generateKeyPair(), RAW), generateKeyPair().publicKey);
  await assert.rejects(key.sign(CONTENT), { code: 'signing-failed', detail: /no signature of the key/ });
});

test('a command that fails, hangs, writes too much or is not there is said to do so', async (t) => {
  const keys = generateKeyPair();
  const detailOf = async (words: readonly string[]): Promise<string> => {
    try {
      await commandSigningKey(words, keys.publicKey, 2_000).sign(CONTENT);
      return 'signed';
    } catch (error) {
      assert.ok(error instanceof Error && 'detail' in error && 'code' in error && error.code === 'signing-failed');
      return String(error.detail);
    }
  };
  const run = async (body: string): Promise<string> => detailOf(await command(t, keys, body));
  assert.match(await run("console.error('no permission'); process.exit(3);"), /it ended with 3: no permission$/);
  assert.match(await run('setInterval(() => {}, 1000);'), /did not end within 2000 ms/);
  assert.match(await run("setInterval(() => process.stdout.write('x'.repeat(10_000)), 1);"), /more than 4096 bytes/);
  assert.match(await detailOf(['/nonexistent/sign']), /ENOENT/);
});

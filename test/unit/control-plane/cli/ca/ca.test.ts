import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { Command, CommanderError } from 'commander';
import { makeCsr } from '../../../../../certs/x509/csr.ts';
import { generateKeyPair } from '../../../../../certs/x509/key.ts';
import { certificatesPem, pemOf } from '../../../../../certs/x509/pem.ts';
import { addCa } from '../../../../../control-plane/cli/ca/register.ts';
import { describeError } from '../../../../../core/kit/error.ts';
import { craftAuthority, craftLeaf, unknownCritical } from '../../../../support/crafted-certificates.ts';
import { openssl } from '../../../../support/openssl.ts';

let folder = '';
const at = (name: string): string => join(folder, name);
/** Whatever any command said. */
let saidByAll = '';

interface Ran {
  readonly code: number;
  readonly text: string;
}

/** As the command line does, with `DIR` for the authority and file names in the folder of the test. */
async function weft(...words: string[]): Promise<Ran> {
  const lines: string[] = [];
  let code = 0;
  const program = new Command('weft').exitOverride().configureOutput({ writeErr: () => {} });
  addCa(
    program,
    (result) => {
      code = result;
    },
    (line) => lines.push(line),
  );
  try {
    await program.parseAsync(['ca', ...words], { from: 'user' });
  } catch (error) {
    code = 2;
    lines.push(error instanceof CommanderError ? error.message : describeError(error));
  }
  saidByAll += lines.join('\n');
  return { code, text: lines.join('\n') };
}

const ca = (command: string, ...words: string[]): Promise<Ran> => weft(command, '--dir', at('ca'), ...words);

async function issue(name: string, ...words: string[]): Promise<string> {
  const { code, text } = await ca('issue', '--out', at(name), ...words);
  assert.equal(code, 0, text);
  return text;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-ca-'));
  assert.match(
    (await ca('init', '--trust-domain', 'shop.test')).text,
    /^Made the authority of shop.test in .*\nRoot SHA-256: [0-9a-f]{64}$/,
  );
  await writeFile(at('password'), 'pässword\n');
});
after(() => rm(folder, { recursive: true }));

describe('weft ca issue', () => {
  it('writes certificate, key and root; openssl verifies it, and the key is for its owner alone', async () => {
    assert.match(
      await issue('orders', '--service', 'orders'),
      /orders\.pem: spiffe:\/\/shop\.test\/ns\/default\/sa\/orders, until /,
    );
    assert.equal((await stat(at('orders.key'))).mode & 0o777, 0o600);
    const trust = ['-x509_strict', '-CAfile', at('orders.ca.pem'), '-untrusted', at('orders.pem')];
    assert.match(await openssl(['verify', ...trust, at('orders.pem')]), /: OK/);
    const certificate = new X509Certificate(await readFile(at('orders.pem')));
    assert.equal(certificate.subjectAltName, 'URI:spiffe://shop.test/ns/default/sa/orders');
    const key = await openssl(['pkey', '-in', at('orders.key'), '-pubout']);
    assert.equal(key, certificate.publicKey.export({ type: 'spki', format: 'pem' }));
  });

  it('makes certificates of servers, clients and operators, each for its own use', async () => {
    await issue(
      'server',
      '--server',
      'API.shop.test',
      '--server',
      '10.0.0.1',
      '--key-kind',
      'rsa2048',
      '--life',
      '30d',
    );
    await issue('client', '--client', 'alice@shop.test');
    await issue('operator', '--operator', 'alice', '--role', 'admin');
    const [server, client, operator] = await Promise.all(
      ['server', 'client', 'operator'].map(async (name) => new X509Certificate(await readFile(at(`${name}.pem`)))),
    );
    assert.equal(server?.subjectAltName, 'DNS:api.shop.test, IP Address:10.0.0.1');
    assert.deepEqual(server?.keyUsage, ['1.3.6.1.5.5.7.3.1']);
    assert.equal(server?.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
    assert.equal(client?.subject, 'CN=alice@shop.test');
    assert.equal(client?.subjectAltName, 'email:alice@shop.test');
    assert.deepEqual(client?.keyUsage, ['1.3.6.1.5.5.7.3.2']);
    assert.equal(operator?.subjectAltName, 'URI:spiffe://shop.test/operator/admin/alice');
  });

  it('signs a request for a key that stays where it is, and adds no name that it asks for', async () => {
    const keys = generateKeyPair('p384');
    const identity = 'spiffe://shop.test/ns/default/sa/orders';
    const request = async (names: string): Promise<string> => {
      await writeFile(at('request.csr'), pemOf('CERTIFICATE REQUEST', makeCsr(keys, [{ kind: 'uri', value: names }])));
      return (await ca('issue', '--service', 'orders', '--csr', at('request.csr'), '--out', at('signed'))).text;
    };
    assert.match(await request(`${identity}-admin`), /certificate request was refused.*which its sender is not/);
    assert.match(await request(identity), /signed\.pem: spiffe/);
    const certificate = new X509Certificate(await readFile(at('signed.pem')));
    assert.equal(certificate.subjectAltName, `URI:${identity}`);
    assert.ok(certificate.publicKey.equals(keys.publicKey));
    assert.ok(!(await readdir(folder)).includes('signed.key'));
  });

  it('writes PKCS#12 under a password', async () => {
    await issue('alice', '--client', 'Alice', '--format', 'pkcs12', '--password-file', at('password'));
    assert.equal((await stat(at('alice.p12'))).mode & 0o777, 0o600);
    const said = await openssl(['pkcs12', '-in', at('alice.p12'), '-passin', 'pass:pässword', '-nokeys', '-info']);
    assert.equal(said.match(/BEGIN CERTIFICATE/g)?.length, 3);
  });

  it('logs who got what, when and until when, before it is handed out', async () => {
    const { text } = await ca('status', '--issued');
    assert.match(text, /svid +spiffe:\/\/shop\.test\/ns\/default\/sa\/orders, until .* by .+@.+, serial [0-9a-f]{32}/);
    assert.match(text, /client +alice@shop\.test/);
    const json: unknown = JSON.parse((await ca('status', '--json')).text);
    assert.ok(typeof json === 'object' && json !== null && 'issued' in json && Array.isArray(json.issued));
    assert.equal(json.issued.length, 6);
  });

  it('writes over nothing, unless that is asked for', async () => {
    const before = await readFile(at('orders.key'), 'utf8');
    assert.match(
      (await ca('issue', '--service', 'web', '--out', at('orders'))).text,
      /is there already \(--force writes over it\)/,
    );
    assert.equal(await readFile(at('orders.key'), 'utf8'), before);
    await issue('orders', '--service', 'orders', '--force');
    assert.notEqual(await readFile(at('orders.key'), 'utf8'), before);
  });

  it('says where a certificate ends sooner than was asked for, because the authority does', async () => {
    assert.match(await issue('long', '--client', 'long', '--life', '397d'), /it ends with the authority itself/);
    assert.doesNotMatch(await issue('short', '--client', 'short', '--life', '300d'), /ends with the authority/);
  });

  it('signs and logs nothing where there is no folder to write to', async () => {
    const log = await readFile(join(at('ca'), 'issuance.jsonl'), 'utf8');
    assert.match(
      (await ca('issue', '--service', 'web', '--out', at('none/web'))).text,
      /there is no folder .*none \(make it first\)/,
    );
    assert.equal(await readFile(join(at('ca'), 'issuance.jsonl'), 'utf8'), log);
  });

  it('answers what makes no sense with one line', async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /one of --service, --server, --client and --operator/],
      [['--service', 'a', '--client', 'b'], /one of a service/],
      [['--service', 'Orders'], /cannot be the name of a service/],
      [['--service', 'edge-main'], /identity of an edge/],
      [['--service', 'weft-control-plane'], /the control plane itself/],
      [['--service', 'a', '--life', '91d'], /at most 90d/],
      [['--service', 'a', '--life', '5'], /hours or days/],
      [['--server', 'not a host'], /neither a host name nor an address/],
      [['--client', ' alice'], /cannot be the name of a client/],
      [['--client', 'a\nb'], /cannot be the name of a client/],
      [['--operator', 'Alice'], /cannot be the name of an operator/],
      [['--operator', 'alice', '--role', 'king'], /--role is one of/],
      [['--client', 'a', '--role', 'admin'], /--role goes with --operator/],
      [['--client', 'a', '--format', 'pkcs12'], /needs a password/],
      [['--client', 'a', '--key-kind', 'dsa'], /Allowed choices/],
      [['--client', 'a', '--csr', at('orders.pem')], /not one certificate request/],
    ];
    for (const [words, why] of cases) {
      const { code, text } = await ca('issue', '--out', at('wrong'), ...words);
      assert.notEqual(code, 0, words.join(' '));
      assert.match(text, why);
      assert.ok(!text.includes('\n'), text);
    }
    assert.ok(!(await readdir(folder)).some((name) => name.startsWith('wrong')));
  });
});

describe('weft ca inspect', () => {
  it('says in plain words what a certificate proves, and for how long', async () => {
    const { code, text } = await weft('inspect', at('orders.pem'));
    assert.equal(code, 0);
    assert.match(text, /^1\. the identity of the service orders\n/);
    assert.match(text, /may +prove itself to others as a server and as a client/);
    assert.match(text, /valid +.*: 3 days left/);
    assert.match(text, /2\. the certificate of an intermediate authority of the trust domain shop\.test/);
  });

  it('reads DER, requests, keys, PKCS#12 and lists of revoked certificates by what is in them', async () => {
    const certificate = new X509Certificate(await readFile(at('client.pem')));
    await writeFile(at('client.der'), certificate.raw);
    assert.match((await weft('inspect', at('client.der'))).text, /^a client's certificate\n/);
    assert.match((await weft('inspect', at('request.csr'))).text, /^a request for a certificate.*\n +asks for +spiffe/);
    assert.match((await weft('inspect', at('orders.key'))).text, /^a private key, not encrypted\n +key +ECDSA P-256/);
    assert.match((await weft('inspect', at('alice.p12'))).text, /password is needed: --password-file/);
    const opened = await weft('inspect', at('alice.p12'), '--password-file', at('password'));
    assert.match(opened.text, /The private key is that of the first certificate\.$/);
    const pair = (await readFile(at('client.pem'), 'utf8')) + (await readFile(at('orders.key'), 'utf8'));
    await writeFile(at('mismatch.pem'), pair);
    assert.match((await weft('inspect', at('mismatch.pem'))).text, /is NOT that of the first certificate/);
  });

  it('shows what is wrong with a certificate that everybody refuses, and exits with 1', async () => {
    const root = craftAuthority('root');
    const bad = craftLeaf(root, { hash: 'sha1', notAfter: Date.now() - 86_400_000 * 3, more: [unknownCritical()] });
    await writeFile(at('bad.pem'), certificatesPem([bad.der]));
    const { code, text } = await weft('inspect', at('bad.pem'));
    assert.equal(code, 1);
    assert.match(text, /WRONG +it expired 3 days ago/);
    assert.match(text, /WRONG +it is signed by ECDSA with SHA-1, which can be forged/);
    assert.match(text, /WRONG +a critical extension that is not understood/);
    const old = craftAuthority('old root', { hash: 'sha1' });
    await writeFile(at('old.pem'), certificatesPem([old.der]));
    assert.equal((await weft('inspect', at('old.pem'))).code, 0, 'the signature of a root proves nothing anyway');
    assert.match(text, /also has +1\.3\.6\.1\.4\.1\.99999\.1 \(critical\)/);
  });

  it('lets no name move the cursor of whoever looks at it', async () => {
    const sly = craftAuthority('evil\u001b[2Jname\u202e');
    await writeFile(at('sly.pem'), certificatesPem([sly.der]));
    const { text } = await weft('inspect', at('sly.pem'));
    assert.match(text, /evil\ufffd\[2Jname\ufffd/);
    // eslint-disable-next-line no-control-regex -- what must not be there
    assert.doesNotMatch(text, /[\u001b\u202e]/);
  });

  it('says of what is none of all this that it is none', async () => {
    await writeFile(at('text'), 'hello');
    await writeFile(at('torn.pem'), (await readFile(at('orders.pem'), 'utf8')).slice(0, 300));
    assert.match((await weft('inspect', at('text'))).text, /neither PEM nor DER/);
    assert.match((await weft('inspect', at('torn.pem'))).text, /breaks off/);
    assert.match((await weft('inspect', at('nothing'))).text, /does not exist/);
  });
});

describe('weft ca inspect and verify of a live server', () => {
  const servers: Server[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  async function listen(server: Server): Promise<string> {
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  async function tls(name: string, options: object = {}): Promise<string> {
    const [key, cert] = [await readFile(at(`${name}.key`)), await readFile(at(`${name}.pem`))];
    const server = createTlsServer({ key, cert, ...options }, (socket) => socket.on('error', () => {}));
    return listen(server.on('tlsClientError', () => {}));
  }

  it('shows its chain, also where it wants a certificate of ours', async () => {
    for (const options of [{}, { requestCert: true }, { maxVersion: 'TLSv1.2' }]) {
      const where = await tls('orders', options);
      const { text } = await weft('inspect', where);
      assert.match(text, /speaks TLSv1\.[23], and shows:\n1\. the identity of the service orders/);
      assert.match(text, /2\. the certificate of an intermediate authority/);
    }
  });

  it('says so where it shows nothing before it has seen one', async () => {
    const where = await tls('orders', { requestCert: true, maxVersion: 'TLSv1.2' });
    const { code, text } = await weft('inspect', where);
    assert.equal(code, 2);
    assert.match(text, /: ssl\/tls alert handshake failure \(it may want a certificate of its clients/);
  });

  it('is verified as a file is', async () => {
    const where = await tls('orders');
    assert.match(
      (await ca('verify', where, '--service', 'orders')).text,
      /^ok: the identity of the service orders, until /,
    );
    const other = await ca('verify', where, '--service', 'payments');
    assert.equal(other.code, 1);
    assert.match(other.text, /^refused: .*: it is spiffe:.*\/orders, not spiffe:.*\/payments$/);
  });

  it('says of a port without TLS that it has none', async () => {
    const where = await listen(createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    assert.match((await weft('inspect', where)).text, /does not speak TLS there/);
  });
});

describe('weft ca verify', () => {
  it('accepts what it should, and says why not otherwise', async () => {
    assert.equal((await ca('verify', at('orders.pem'), '--for', 'client')).code, 0);
    assert.equal((await ca('verify', at('server.pem'), '--host', 'api.shop.test', '--for', 'server')).code, 0);
    assert.equal((await ca('verify', at('server.pem'), '--host', '10.0.0.1')).code, 0);
    const refusals: readonly (readonly [readonly string[], RegExp])[] = [
      [[at('server.pem'), '--host', 'web.shop.test'], /it is not for web\.shop\.test$/],
      [[at('client.pem'), '--for', 'server'], /not for servers$/],
      [[at('orders.pem'), '--at', '2040-01-01'], /expired on 20/],
      [[at('server.pem'), '--service', 'orders'], /0 URI names/],
      [[at('bad.pem')], /critical extension/],
      [[at('server.pem'), '--roots', at('sly.pem')], /nobody of the bundle signed/],
      [[at('orders.pem'), '--roots', at('sly.pem')], /nobody of the bundle signed/],
    ];
    for (const [words, why] of refusals) {
      const { code, text } = await ca('verify', ...words);
      assert.equal(code, 1, text);
      assert.match(text, why);
    }
    const json: unknown = JSON.parse((await ca('verify', at('client.pem'), '--for', 'server', '--json')).text);
    assert.ok(typeof json === 'object' && json !== null && 'ok' in json && 'reason' in json);
    assert.equal(json.ok, false);
  });
});

describe('weft ca export', () => {
  it('prints the roots, as PEM or as a SPIFFE bundle', async () => {
    const pem = (await ca('export')).text;
    assert.equal(`${pem}\n`, await readFile(join(at('ca'), 'root.pem'), 'utf8'));
    assert.deepEqual(JSON.parse((await ca('export', '--json')).text), { format: 'pem', text: pem });
    const bundle = JSON.parse((await ca('export', '--format', 'jwks')).text) as {
      keys: { use: string; x5c: string[] }[];
    };
    assert.equal(bundle.keys[0]?.use, 'x509-svid');
    const der = Buffer.from(bundle.keys[0]?.x5c[0] ?? '', 'base64');
    assert.deepEqual(der, new X509Certificate(pem).raw);
  });

  it('gives the key away only where that is said and under a password; it can be imported again', async () => {
    const p12 = ['--format', 'pkcs12', '--out', at('authority.p12')];
    assert.match((await ca('export', ...p12)).text, /say --with-key/);
    assert.match((await ca('export', ...p12, '--with-key')).text, /needs a password/);
    assert.equal((await ca('export', ...p12, '--with-key', '--password-file', at('password'))).code, 0);
    const from = ['--pkcs12', at('authority.p12'), '--password-file', at('password'), '--trust-domain', 'shop.test'];
    const imported = await weft('import', '--dir', at('again'), ...from);
    assert.match(imported.text, /^Made the authority of shop\.test in .*, with the intermediate\n/);
    assert.equal((await weft('issue', '--dir', at('again'), '--service', 'web', '--out', at('web'))).code, 0);
    assert.equal((await ca('verify', at('web.pem'), '--service', 'web')).code, 0);
  });
});

describe('an authority whose keys are encrypted', () => {
  it('signs with its passphrase and says so without; verifying needs none', async () => {
    const dir = ['--dir', at('locked')];
    const made = await weft('init', ...dir, '--trust-domain', 'shop.test', '--passphrase-file', at('password'));
    assert.equal(made.code, 0, made.text);
    for (const name of ['root.key', 'intermediate.key']) {
      assert.match(await readFile(join(at('locked'), name), 'utf8'), /BEGIN ENCRYPTED PRIVATE KEY/);
    }
    const words = ['issue', ...dir, '--service', 'orders', '--out', at('sealed')];
    assert.match((await weft(...words)).text, /a private key needs its passphrase: .*intermediate\.key/);
    assert.equal((await weft(...words, '--passphrase-file', at('password'))).code, 0);
    assert.equal((await weft('verify', ...dir, at('sealed.pem'))).code, 0);
    assert.match((await weft('status', ...dir)).text, /key here, encrypted/);
  });
});

it('nothing secret was said by any of these commands', async () => {
  assert.ok(saidByAll.length > 5_000);
  assert.doesNotMatch(saidByAll, /PRIVATE KEY-----|pässword/);
  const key = await readFile(at('orders.key'), 'utf8');
  for (const line of key.split('\n').slice(1, -2)) assert.ok(!saidByAll.includes(line));
});

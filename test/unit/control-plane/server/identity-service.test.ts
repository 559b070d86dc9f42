import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { initAuthority, openAuthority } from '../../../../certs/authority/authority-folder.ts';
import { issueSvid } from '../../../../certs/authority/issue.ts';
import { openLedger, type Grant } from '../../../../certs/authority/ledger.ts';
import { identityOf } from '../../../../certs/policy/names.ts';
import { makeCsr } from '../../../../certs/x509/csr.ts';
import { generateKeyPair } from '../../../../certs/x509/key.ts';
import { readCertificate } from '../../../../certs/x509/certificate.ts';
import { identityService } from '../../../../control-plane/server/identity-service.ts';
import { silentLog } from '../../../../core/kit/log.ts';
import { loadServices } from '../../../../proto/codec/services.ts';
import type { Issued } from '../../../../proto/gen/weft/v1/Issued.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const HOLDER = { account: 'orders', version: 'v2', instance: 'orders-7f3a', tokenId: '0123456789abcdef' };

async function served(t: TestContext) {
  const folder = await temporaryFolder(t);
  const clock = Date.now;
  await initAuthority(join(folder, 'ca'), { trustDomain: 'shop.test', clock, random: randomBytes });
  const authority = await openAuthority(join(folder, 'ca'), { clock, random: randomBytes });
  const ledger = await openLedger(join(folder, 'issued.jsonl'), clock);
  t.after(() => ledger.close());
  const parts = { authority, ledger, clock };
  const service = identityService({ ...parts, services: loadServices(), hostsOfEdge: () => [], log: silentLog });
  return { ...parts, service };
}

type Served = Awaited<ReturnType<typeof served>>;

/** Asks as somebody whose certificate TLS has verified; null: one who showed none. */
function renewAs({ service }: Served, certificate: Buffer | null): Promise<Issued | ServiceError> {
  const call = {
    request: { csr: makeCsr(generateKeyPair()) },
    getPeer: () => '10.0.0.1:4711',
    getAuthContext: () => (certificate === null ? {} : { sslPeerCertificate: { raw: certificate } }),
  };
  return new Promise((resolve) => {
    // The handler reads nothing of a call but these three.
    const handle = service.handlers.Renew as unknown as (
      call: unknown,
      reply: (error: ServiceError | null, issued?: Issued) => void,
    ) => void;
    handle(call, (error, issued) => resolve(error ?? issued ?? {}));
  });
}

async function refusalOf(parts: Served, certificate: Buffer | null): Promise<void> {
  const answer = await renewAs(parts, certificate);
  assert.ok(answer instanceof Error);
  assert.equal(answer.code, status.UNAUTHENTICATED);
  assert.ok(answer.metadata instanceof Metadata);
  assert.deepEqual(answer.metadata.get('weft-error'), ['peer-refused']);
}

async function signed(parts: Served, account: string): Promise<Buffer> {
  const { publicKey } = generateKeyPair();
  const svid = await parts.authority.signSvid({ publicKey, identity: identityOf('shop.test', account) });
  return svid.chain[0] ?? Buffer.alloc(0);
}

function serialOf(certificate: Buffer): string {
  const fields = readCertificate(certificate);
  return fields.ok ? fields.value.serial : '';
}

test('a certificate of the ledger is renewed as what the ledger says', async (t) => {
  const parts = await served(t);
  const issued = await issueSvid(parts, HOLDER, generateKeyPair().publicKey);
  const answer = await renewAs(parts, issued.chain[0] ?? null);
  assert.ok(!(answer instanceof Error));
  assert.equal(answer.instance, 'orders-7f3a');
  assert.equal(answer.spiffeId, 'spiffe://shop.test/ns/default/sa/orders');
});

test('no certificate, one that is not in the ledger and one that stands there as another are refused', async (t) => {
  const parts = await served(t);
  await refusalOf(parts, null);
  const stranger = await signed(parts, 'orders');
  await refusalOf(parts, stranger);
  const grant: Grant = {
    ...HOLDER,
    serial: serialOf(stranger),
    purpose: 'svid',
    identity: identityOf('shop.test', 'payments'),
    key: 'key',
    notAfter: Date.now() + 60_000,
    issuedAt: Date.now(),
  };
  await parts.ledger.record(grant);
  await refusalOf(parts, stranger);
  await parts.ledger.record({ ...grant, identity: identityOf('shop.test', 'orders'), purpose: 'server' });
  await refusalOf(parts, stranger);
});

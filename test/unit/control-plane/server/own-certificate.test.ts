import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { test } from 'node:test';
import { initAuthority, openAuthority } from '../../../../certs/authority/authority-folder.ts';
import { controlPlaneIdentity, type ControlPlaneIdentity } from '../../../../certs/authority/control-plane-identity.ts';
import { openLedger } from '../../../../certs/authority/ledger.ts';
import { JoinServer } from '../../../../control-plane/server/join-server.ts';
import { OwnCertificate } from '../../../../control-plane/server/own-certificate.ts';
import { MeshError } from '../../../../core/kit/error.ts';
import { silentLog } from '../../../../core/kit/log.ts';
import { loadServices } from '../../../../proto/codec/services.ts';
import { eventually } from '../../../support/eventually.ts';
import { fixedClock } from '../../../support/fixed-clock.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const HOUR = 3_600_000;

async function authorityIn(folder: string, clock: () => number) {
  const ambient = { clock, random: randomBytes };
  await initAuthority(join(folder, 'ca'), { trustDomain: 'shop.test', ...ambient });
  return openAuthority(join(folder, 'ca'), ambient);
}

test('ports are given a new certificate at half of its life, and only then', async (t) => {
  const clock = fixedClock();
  const source = controlPlaneIdentity(await authorityIn(await temporaryFolder(t), clock), clock);
  const renewed: ControlPlaneIdentity[] = [];
  let looks = 0;
  const watched = { current: () => source.current().finally(() => (looks += 1)) };
  const own = new OwnCertificate({
    source: watched,
    onRenewal: (identity) => renewed.push(identity),
    log: silentLog,
    checkEvery: 1,
  });
  t.after(() => own.close());
  const first = await own.start();
  await eventually(() => looks >= 3);
  assert.equal(renewed.length, 0);
  clock.advance(36 * HOUR);
  await eventually(() => renewed.length === 1);
  assert.notEqual(renewed[0]?.chainPem, first.chainPem);
});

test('an authority that can sign no more is an error in the log, and the old certificate stays', async (t) => {
  const log = recordingLog();
  let failing = false;
  const identity = await controlPlaneIdentity(
    await authorityIn(await temporaryFolder(t), Date.now),
    Date.now,
  ).current();
  const source = {
    current: async () => {
      if (failing) throw new MeshError('authority-expired');
      return identity;
    },
  };
  const own = new OwnCertificate({ source, onRenewal: () => assert.fail('renewed'), log, checkEvery: 1 });
  t.after(() => own.close());
  await own.start();
  failing = true;
  await eventually(() => log.lines.some(({ level }) => level === 'error'));
});

test('the join port shows a renewed certificate to the next who comes', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = fixedClock(Date.now());
  const authority = await authorityIn(folder, clock);
  const ledger = await openLedger(join(folder, 'issued.jsonl'), clock);
  const source = controlPlaneIdentity(authority, clock);
  const server = new JoinServer({
    ...{ authority, ledger, clock, stateDir: folder, services: loadServices(), log: silentLog },
    address: { host: '127.0.0.1', port: 0 },
    identity: await source.current(),
  });
  const port = await server.start();
  t.after(async () => {
    server.close();
    await ledger.close();
  });
  const serialShown = async (): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const before = await serialShown();
  clock.advance(40 * HOUR);
  server.setIdentity(await source.current());
  assert.notEqual(await serialShown(), before);
});

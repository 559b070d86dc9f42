import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runComposeInit } from '../../control-plane/cli/compose-init/compose-init.ts';
import { silentLog } from '../../core/kit/log.ts';
import { systemClock } from '../../proxy/agent/agent.ts';
import { obtainIdentity } from '../../proxy/agent/identity.ts';
import { startJoinableControlPlane } from '../support/joinable-control-plane.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const TEXT = `version: 1
mesh: { trustDomain: shop.test }
services:
  orders: { port: 8080, versions: { v1: {}, v2: {} } }
  users: { port: 8081 }
`;

test('an instance that joined keeps its certificate; one that is for something else, or damaged, is replaced', async (context) => {
  const folder = await temporaryFolder(context);
  const plane = await startJoinableControlPlane(context, folder);
  const config = join(folder, 'weft.yaml');
  await writeFile(config, TEXT);
  const instances = join(folder, 'instances');
  const init = async (member: string): Promise<string | undefined> => {
    const lines: string[] = [];
    const args = { config: [config], caDir: plane.caDir, stateDir: plane.stateDir, instances, ttl: 60_000 };
    await runComposeInit(
      { ...args, members: [member] },
      async () => {},
      (line) => lines.push(line),
    );
    return lines.at(-1);
  };
  const stateDir = join(instances, 'one');
  const joined = async () =>
    obtainIdentity({
      joinAddresses: [plane.joinAddress],
      token: await readFile(join(stateDir, 'token'), 'utf8'),
      stateDir,
      services: plane.services,
      log: silentLog,
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(20_000)]),
      clock: systemClock,
    });

  assert.equal(await init('one=orders@v1'), 'one: got a token');
  const first = await joined();
  assert.equal(first.instance, 'one');
  assert.equal(await init('one=orders@v1'), 'one: has its certificate');
  assert.equal((await joined()).keyPem, first.keyPem);

  // The version stands in the grant behind the certificate, not in the certificate.
  assert.equal(await init('one=orders@v2'), 'one: got a token');
  const second = await joined();
  assert.notEqual(second.keyPem, first.keyPem);
  assert.equal(await init('one=orders@v2'), 'one: has its certificate');
  assert.equal(await init('one=users'), 'one: got a token');
  assert.match((await joined()).spiffeId, /\/sa\/users$/);

  await writeFile(join(stateDir, 'svid.pem'), 'no certificate\n');
  assert.equal(await init('one=users'), 'one: got a token');
  await joined();
  await rm(join(stateDir, 'key.pem'));
  assert.equal(await init('one=users'), 'one: got a token');
});

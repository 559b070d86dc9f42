// `weft edge --standalone FILE`: one process, no control plane.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ERRORS } from '../../core/kit/error-table.ts';
import { describeError, MeshError } from '../../core/kit/error.ts';
import { createLog } from '../../host/log.ts';
import type { EdgeSettings } from '../../host/proxy-settings.ts';
import type { KeyMaterial } from '../tls/material.ts';
import { makePath, type PathOptions } from './make-path.ts';
import { type CertificateSource, ServerCertificates } from './certificates.ts';
import type { DataPath } from './data-path.ts';
import { Shell } from './shell.ts';
import { Standalone, type StandaloneView } from './standalone.ts';
import { findPredecessor } from './takeover.ts';

/** Far below the life of a server certificate, in ms. */
const RENEW_EVERY = 12 * 3_600_000;

export async function runStandalone(settings: EdgeSettings, file: string): Promise<number> {
  const name = settings.name ?? 'edge';
  const { status, drain, edge } = settings;
  const logAs = { name, level: settings.logLevel, to: 'stdout' } as const;
  const log = createLog(logAs);
  const stateDir = settings.stateDir ?? join('.weft', 'proxies', name);
  const predecessor = settings.takeover ? await findPredecessor(stateDir) : null;
  const shell = new Shell({ log, status, stateDir, drain, predecessor });
  const standalone = new Standalone({
    file,
    edge,
    log,
    apply: async (view) => {
      const applied = await path.apply(view);
      if (applied.ok) shell.report();
      return applied;
    },
  });
  const loaded = await standalone.load();
  const path = createPath(settings, shell, { logAs, held: predecessor?.ports ?? [] }, loaded);
  await path.start();
  const applied = await path.apply(loaded.view);
  if (!applied.ok) {
    const { code, message } = applied.error;
    throw new MeshError(code, { detail: message.replace(`${ERRORS[code].message}: `, '') });
  }
  await shell.start();
  shell.attach(path, () => ({ mode: 'standalone', edge: loaded.edge, file }));
  shell.report();
  shell.has('certificate');
  shell.has('configuration');
  await standalone.start(loaded.view);
  const renewal = setInterval(() => {
    path
      .renewCertificates()
      .catch((error: unknown) => log.error({ error: describeError(error) }, 'the certificate could not be renewed'));
  }, RENEW_EVERY).unref();
  log.info({ reason: await shell.stopped() }, 'stopping');
  clearInterval(renewal);
  standalone.close();
  await shell.close();
  return 0;
}

function createPath(
  settings: EdgeSettings,
  shell: Shell,
  { logAs, held }: Pick<PathOptions, 'logAs' | 'held'>,
  { trustDomain, workers }: StandaloneView,
): DataPath {
  return makePath({
    workers: settings.workers > 1 ? settings.workers : workers,
    role: { kind: 'edge' },
    identity: null,
    certificates: new ServerCertificates(signInTurn(settings, trustDomain)),
    denials: shell.denials,
    log: shell.log,
    logAs,
    accessLog: settings.accessLog,
    drain: settings.drain,
    held,
  });
}

/** One after the other: the first one may have to make the authority. */
function signInTurn(settings: EdgeSettings, trustDomain: string): CertificateSource {
  let before: Promise<unknown> = Promise.resolve();
  return (hosts) => {
    const signed = before.then(() => signLocally(settings, trustDomain, hosts));
    before = signed.catch(() => null);
    return signed;
  };
}

async function signLocally(
  { caDir, caPassphrase }: EdgeSettings,
  trustDomain: string,
  hosts: readonly string[],
): Promise<KeyMaterial> {
  // Lazily: a standalone edge in plaintext needs no authority.
  const { localServerCertificate } = await import('../agent/identity-local.ts');
  const options = { caDir, caPassphrase, trustDomain, hosts };
  return localServerCertificate({ ...options, clock: Date.now, random: randomBytes });
}

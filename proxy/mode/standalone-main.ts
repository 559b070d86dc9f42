// `weft edge --standalone FILE`: one process, no control plane.
import { join } from 'node:path';
import { describeError, MeshError } from '../../core/kit/error.ts';
import { createLog } from '../../host/log.ts';
import type { EdgeSettings } from '../../host/proxy-settings.ts';
import { Proxy } from '../assemble.ts';
import { EdgeMode } from './edge.ts';
import { ServerCertificates } from './certificates.ts';
import { Shell } from './shell.ts';
import { Standalone } from './standalone.ts';

export async function runStandalone(settings: EdgeSettings, file: string): Promise<number> {
  const name = settings.name ?? 'edge';
  const log = createLog({ name, level: settings.logLevel });
  const shell = new Shell({
    log,
    status: settings.status,
    stateDir: settings.stateDir ?? join('.weft', 'proxies', name),
    accessLog: settings.accessLog,
    drain: settings.drain,
  });
  const proxy = new Proxy({
    modes: [new EdgeMode()],
    log,
    recorder: shell.recorder(null),
    denials: shell.denials,
    ids: shell.ids,
    random: Math.random,
    mesh: null,
    certificates: new ServerCertificates(() =>
      Promise.reject(
        new MeshError('authority-missing', { detail: settings.caDir, hint: 'make one with `weft ca init`' }),
      ),
    ),
    drain: settings.drain,
  });
  const standalone = new Standalone({
    file,
    edge: settings.edge,
    log,
    apply: async (view) => {
      const applied = await proxy.apply(view);
      if (applied.ok) shell.report();
      return applied;
    },
  });
  const loaded = await standalone.load();
  await proxy.start();
  const applied = await proxy.apply(loaded.view);
  if (!applied.ok) {
    proxy.close();
    throw new MeshError(applied.error.code, { detail: applied.error.message });
  }
  await shell.start();
  shell.attach(proxy, () => ({ mode: 'standalone', edge: loaded.edge, file }));
  shell.has('certificate');
  shell.has('configuration');
  shell.report();
  await standalone.start(loaded.view);
  const reason = await shell.stopped();
  log.info({ reason }, 'stopping');
  standalone.close();
  await shell.close().catch((error: unknown) => log.error({ error: describeError(error) }, 'stopping failed'));
  return 0;
}

// The API beside the other servers: on its Unix socket always, over mutual TLS where an address is given, with a
// certificate of the control plane's own identity that is renewed meanwhile.
import { join } from 'node:path';
import type { Authority } from '../certs/authority/authority.ts';
import { controlPlaneIdentity } from '../certs/authority/control-plane-identity.ts';
import type { HostPort } from '../core/model/mesh.ts';
import { API_SOCKET } from '../host/control-plane-settings.ts';
import type { BoundPort } from '../host/ipc.ts';
import { ApiServer } from './api/api-server.ts';
import type { ApiFacts } from './api/facts.ts';
import type { Closers } from './lifecycle.ts';
import { OwnCertificate } from './server/own-certificate.ts';

export interface ApiSettings {
  readonly stateDir: string;
  /** null: on the socket only. */
  readonly api?: HostPort | null;
}

/** The port `api`, where there is one. Throws MeshError `address-in-use` or `authority-expired`. */
export async function serveApi(
  { stateDir, api: address = null }: ApiSettings,
  facts: ApiFacts & { readonly authority: Authority },
  closers: Closers,
): Promise<readonly BoundPort[]> {
  const server = new ApiServer(facts);
  closers.add(() => server.close());
  await server.listenOnSocket(join(stateDir, API_SOCKET));
  if (address === null) return [];
  const own = new OwnCertificate({
    source: controlPlaneIdentity(facts.authority, facts.now),
    onRenewal: (next) => server.setIdentity(next),
    log: facts.log,
  });
  closers.add(() => own.close());
  const port = await server.listenOnTls(address, await own.start());
  return [{ name: 'api', host: address.host, port }];
}

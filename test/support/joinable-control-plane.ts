// The identity half of a control plane, as real as it gets: an authority in a folder, the ledger, the join port,
// and the identity service on a mutual-TLS port. Tests of joining, renewal and refusals run against it.
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Server } from '@grpc/grpc-js';
import type { Log } from '../../core/kit/log.ts';
import { silentLog } from '../../core/kit/log.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { initAuthority, openAuthority } from '../../certs/authority/authority-folder.ts';
import type { Authority } from '../../certs/authority/authority.ts';
import { controlPlaneIdentity } from '../../certs/authority/control-plane-identity.ts';
import { openLedger, type GrantLedger } from '../../certs/authority/ledger.ts';
import { createToken, type TokenRequest } from '../../certs/token/token-store.ts';
import { MutualTls } from '../../control-plane/server/credentials.ts';
import { bind } from '../../control-plane/server/discovery-server.ts';
import { identityService } from '../../control-plane/server/identity-service.ts';
import { JoinServer } from '../../control-plane/server/join-server.ts';
import { loadServices, type Services } from '../../proto/codec/services.ts';

export interface JoinableControlPlane {
  readonly services: Services;
  readonly authority: Authority;
  readonly ledger: GrantLedger;
  readonly caDir: string;
  readonly stateDir: string;
  readonly joinAddress: HostPort;
  readonly discoveryAddress: HostPort;
  /** Moves the control plane's clock; milliseconds. */
  advance(ms: number): void;
  token(request: TokenRequest): Promise<string>;
}

export interface JoinableOptions {
  readonly trustDomain?: string;
  readonly joinPort?: number;
  readonly log?: Log;
  readonly hostsOfEdge?: (edge: string) => readonly string[];
}

export async function startJoinableControlPlane(
  test: TestContext,
  folder: string,
  options: JoinableOptions = {},
): Promise<JoinableControlPlane> {
  let offset = 0;
  const clock = () => Date.now() + offset;
  const random = randomBytes;
  const log = options.log ?? silentLog;
  const caDir = join(folder, 'ca');
  const stateDir = join(folder, 'control-plane');
  await initAuthority(caDir, { trustDomain: options.trustDomain ?? 'shop.test', clock, random });
  await mkdir(stateDir, { recursive: true });
  const authority = await openAuthority(caDir, { clock, random });
  const ledger = await openLedger(join(stateDir, 'issued.jsonl'), clock);
  const services = loadServices();
  const identity = await controlPlaneIdentity(authority, clock).current();
  const parts = { authority, ledger, clock, services, log };
  const address = { host: '127.0.0.1', port: options.joinPort ?? 0 };
  const joinServer = new JoinServer({ ...parts, stateDir, identity, address });
  const joinPort = await joinServer.start();
  const mutual = new Server();
  const service = identityService({ ...parts, hostsOfEdge: options.hostsOfEdge ?? (() => []) });
  mutual.addService(service.definition, service.handlers);
  const discoveryPort = await bind(mutual, { host: '127.0.0.1', port: 0 }, new MutualTls(identity));
  test.after(async () => {
    joinServer.close();
    mutual.forceShutdown();
    await ledger.close();
  });
  return {
    services,
    authority,
    ledger,
    caDir,
    stateDir,
    joinAddress: { host: '127.0.0.1', port: joinPort },
    discoveryAddress: { host: '127.0.0.1', port: discoveryPort },
    advance: (ms) => {
      offset += ms;
    },
    token: async (request) => {
      const rootFingerprint = authority.rootFingerprint;
      return (await createToken({ stateDir, clock, random, rootFingerprint }, request)).reveal();
    },
  };
}

// A data path with its modes, as a program's settings ask for it: the same on the thread of the process and on a worker's.
import type { Log } from '../../core/kit/log.ts';
import type { SpiffeId } from '../../core/model/brand.ts';
import type { SidecarSettings } from '../../host/proxy-settings.ts';
import { Proxy, type ProxyOptions } from '../assemble.ts';
import { IdSource } from '../filter/ids.ts';
import type { RecorderOptions } from '../telemetry/recorder.ts';
import { Stats } from '../telemetry/stats.ts';
import { MeshDialer } from '../tls/mesh-dial.ts';
import type { MeshMaterial } from '../tls/material.ts';
import { MeshTls } from '../tls/mesh-tls.ts';
import { LocalPath } from './data-path.ts';
import { EdgeMode } from './edge.ts';
import { InboundMode } from './inbound.ts';
import { type NamesOptions, OutboundMode } from './outbound.ts';
import type { Mode } from './plan-context.ts';

/** What is served, as plain data. */
export type Role =
  | { readonly kind: 'edge' }
  | {
      readonly kind: 'sidecar';
      readonly service: string;
      readonly namespace: string;
      readonly settings: Pick<
        SidecarSettings,
        'app' | 'appPorts' | 'inbound' | 'outbound' | 'outboundByHost' | 'names' | 'transparent'
      >;
    };

/** Who speaks in the mesh; all of it plain data, and the key in it for nobody's eyes. */
export interface MeshIdentity extends MeshMaterial {
  readonly spiffeId: SpiffeId;
  readonly trustDomain: string;
}

export interface BuildOptions extends Pick<ProxyOptions, 'certificates' | 'denials' | 'drain' | 'sharing'> {
  readonly role: Role;
  /** Null: it has none, and calls nobody in the mesh. */
  readonly identity: MeshIdentity | null;
  readonly log: Log;
  readonly accessLog: boolean;
}

export function buildPath({ role, identity, accessLog, ...options }: BuildOptions): LocalPath {
  const { log } = options;
  const stats = new Stats();
  const recorder: RecorderOptions = { stats, log, accessLog, identity: identity?.spiffeId ?? null };
  const tls = identity === null ? null : new MeshTls({ trustDomain: identity.trustDomain, material: identity, log });
  const proxy = new Proxy({
    ...options,
    modes: modesOf(role),
    recorder,
    ids: new IdSource(),
    random: Math.random,
    mesh: tls === null ? null : { tls, dialer: new MeshDialer(tls, log) },
  });
  return new LocalPath(proxy, stats, tls);
}

function modesOf(role: Role): readonly Mode[] {
  if (role.kind === 'edge') return [new EdgeMode()];
  const { service, namespace, settings } = role;
  return [
    new InboundMode({ address: settings.inbound, app: settings.app, appPorts: settings.appPorts }),
    new OutboundMode({
      service,
      namespace,
      byHost: settings.outboundByHost,
      ports: settings.outbound,
      names: namesOf(settings),
    }),
  ];
}

/** Redirected calls come to the places of names. */
function namesOf({
  names,
  transparent,
  app,
}: Pick<SidecarSettings, 'app' | 'names' | 'transparent'>): NamesOptions | null {
  return names || transparent ? { appPort: app?.port ?? null, transparent } : null;
}

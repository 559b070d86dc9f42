// The settings of the control plane. Read by control-plane/main.ts, shown by the CLI.
import type { HostPort } from '../core/model/mesh.ts';
import { CA_PASSPHRASE, drainSetting, LOG_LEVEL, statusSetting } from './process-settings.ts';
import { readAddress, readList, readText } from './setting-kinds.ts';
import { setting, type SettingsOf } from './settings.ts';

/** Where the API is served, in the state folder. */
export const API_SOCKET = 'api.sock';

export const CONTROL_PLANE_SETTINGS = {
  config: setting<readonly string[]>({
    flag: 'config',
    env: 'WEFT_CONFIG',
    read: readList,
    fallback: ['weft.yaml'],
    shape: 'FILE',
    doc: 'configuration; several files are merged; an edit is live within a second',
    many: true,
  }),
  caDir: setting<string>({
    flag: 'ca-dir',
    env: 'WEFT_CA_DIR',
    read: readText,
    fallback: '.weft/ca',
    shape: 'DIR',
    doc: 'the certificate authority, made by `weft ca init`',
  }),
  caPassphrase: CA_PASSPHRASE,
  stateDir: setting<string>({
    flag: 'state-dir',
    env: 'WEFT_STATE_DIR',
    read: readText,
    fallback: '.weft/control-plane',
    shape: 'DIR',
    doc: 'tokens, issued certificates, the history of configurations',
  }),
  discovery: setting<HostPort>({
    flag: 'discovery',
    env: 'WEFT_DISCOVERY',
    read: readAddress('0.0.0.0'),
    fallback: { host: '0.0.0.0', port: 15_012 },
    shape: 'HOST:PORT',
    doc: 'where proxies stream their views over mutual TLS',
  }),
  join: setting<HostPort>({
    flag: 'join',
    env: 'WEFT_JOIN',
    read: readAddress('0.0.0.0'),
    fallback: { host: '0.0.0.0', port: 15_013 },
    shape: 'HOST:PORT',
    doc: 'where tokens are redeemed',
  }),
  status: statusSetting(15_021),
  api: setting<HostPort | null>({
    flag: 'api',
    env: 'WEFT_API_LISTEN',
    read: readAddress('0.0.0.0'),
    fallback: null,
    shape: 'HOST:PORT',
    doc: 'where operators with a certificate use the API over mutual TLS; default: on its Unix socket only',
  }),
  edge: setting<string | null>({
    flag: 'edge',
    env: 'WEFT_EDGE',
    read: readText,
    fallback: null,
    shape: 'NAME',
    doc: 'also run this edge, as a process of its own',
  }),
  logLevel: LOG_LEVEL,
  drain: drainSetting(2_000, 'how long it may take to stop'),
};

export type ControlPlaneSettings = SettingsOf<typeof CONTROL_PLANE_SETTINGS>;

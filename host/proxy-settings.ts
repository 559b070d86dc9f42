// The settings of a proxy: sidecar, edge, `weft run`. Read by proxy/main.ts, shown by the CLI.
import type { HostPort } from '../core/model/mesh.ts';
import { CA_PASSPHRASE, drainSetting, LOG_LEVEL, statusSetting } from './process-settings.ts';
import {
  type Addresses,
  readAddress,
  readAddresses,
  readAddressMap,
  readCount,
  readSwitch,
  readText,
} from './setting-kinds.ts';
import { setting, type SettingsOf } from './settings.ts';

const COMMON = {
  name: setting<string | null>({
    flag: 'name',
    env: 'WEFT_NAME',
    read: readText,
    fallback: null,
    shape: 'NAME',
    doc: 'what this proxy is called in logs and by its state folder; default: its role',
  }),
  controlPlane: setting<Addresses>({
    flag: 'control-plane',
    env: 'WEFT_CONTROL_PLANE',
    read: readAddresses('127.0.0.1'),
    fallback: [{ host: '127.0.0.1', port: 15_012 }],
    shape: 'HOST:PORT[,HOST:PORT…]',
    doc: 'where the control plane streams views; of several addresses the next one is tried when one is lost',
    many: true,
  }),
  join: setting<Addresses | null>({
    flag: 'join',
    env: 'WEFT_JOIN',
    read: readAddresses('127.0.0.1'),
    fallback: null,
    shape: 'HOST:PORT[,HOST:PORT…]',
    doc: 'where tokens are redeemed; default: the same hosts, port 15013',
    many: true,
  }),
  token: setting<string | null>({
    flag: 'token',
    env: 'WEFT_TOKEN',
    read: readText,
    fallback: null,
    shape: 'TOKEN',
    doc: 'join token from `weft token create`; needed until there is a certificate',
    secret: true,
  }),
  stateDir: setting<string | null>({
    flag: 'state-dir',
    env: 'WEFT_STATE_DIR',
    read: readText,
    fallback: null,
    shape: 'DIR',
    doc: 'key, certificate and admin socket; default: .weft/proxies/<name>',
  }),
  status: statusSetting(15_020),
  logLevel: LOG_LEVEL,
  workers: setting<number>({
    flag: 'workers',
    env: 'WEFT_WORKERS',
    read: readCount(1, 64),
    fallback: 1,
    shape: 'N',
    doc: 'threads that share the listening ports, each with pools of its own; Linux only',
  }),
  takeover: setting<boolean>({
    flag: 'takeover',
    env: 'WEFT_TAKEOVER',
    read: readSwitch,
    fallback: false,
    shape: '',
    doc: 'replace the process that runs with the same state folder, without a gap; default off',
  }),
  drain: drainSetting(5_000, 'how long requests in flight may take when it stops'),
};

const accessLog = (fallback: boolean) =>
  setting<boolean>({
    flag: 'access-log',
    env: 'WEFT_ACCESS_LOG',
    read: readSwitch,
    fallback,
    shape: '',
    doc: `a log line per request; default ${fallback ? 'on' : 'off'}`,
  });

export const SIDECAR_SETTINGS = {
  ...COMMON,
  app: setting<HostPort | null>({
    flag: 'app',
    env: 'WEFT_APP',
    read: readAddress('127.0.0.1'),
    fallback: null,
    shape: 'HOST:PORT',
    doc: "where the app listens; default: 127.0.0.1 and the service's own port",
  }),
  appPorts: setting<ReadonlyMap<string, HostPort>>({
    flag: 'app-port',
    env: 'WEFT_APP_PORTS',
    read: readAddressMap,
    fallback: new Map(),
    shape: 'NAME=HOST:PORT',
    doc: "where the app listens for a further port of `ports`; default: --app's host and the port's own; may be repeated",
    many: true,
  }),
  inbound: setting<HostPort>({
    flag: 'inbound',
    env: 'WEFT_INBOUND',
    read: readAddress('0.0.0.0'),
    fallback: { host: '0.0.0.0', port: 15_006 },
    shape: 'HOST:PORT',
    doc: 'where the mesh calls this service over mutual TLS',
  }),
  outboundByHost: setting<HostPort>({
    flag: 'outbound-by-host',
    env: 'WEFT_OUTBOUND_BY_HOST',
    read: readAddress('127.0.0.1'),
    fallback: { host: '127.0.0.1', port: 15_001 },
    shape: 'HOST:PORT',
    doc: 'where the app calls any service, named by its Host header; loopback only',
  }),
  outbound: setting<ReadonlyMap<string, HostPort>>({
    flag: 'outbound',
    env: 'WEFT_OUTBOUND',
    read: readAddressMap,
    fallback: new Map(),
    shape: 'SERVICE=HOST:PORT',
    doc: 'a port of its own for a called service; loopback only; may be repeated',
    many: true,
  }),
  pods: setting<string | null>({
    flag: 'pods',
    env: 'WEFT_PODS',
    read: readText,
    fallback: null,
    shape: 'DIR',
    doc: 'in containers, where `weft pod` announces its network namespace: wait for it, and end when it is another',
  }),
  names: setting<boolean>({
    flag: 'names',
    env: 'WEFT_NAMES',
    read: readSwitch,
    fallback: false,
    shape: '',
    doc: 'serve each called service on its loopback address (`weft hosts`) and own port; default off',
  }),
  transparent: setting<boolean>({
    flag: 'transparent',
    env: 'WEFT_TRANSPARENT',
    read: readSwitch,
    fallback: false,
    shape: '',
    doc: 'take calls of instances by their own addresses, which `weft netns --transparent` redirects; includes names; default off',
  }),
  accessLog: accessLog(false),
};

export const EDGE_SETTINGS = {
  ...COMMON,
  standalone: setting<string | null>({
    flag: 'standalone',
    env: 'WEFT_STANDALONE',
    read: readText,
    fallback: null,
    shape: 'FILE',
    doc: 'run the only edge of this file, or the one of --edge, without a control plane; an edit is live at once',
  }),
  edge: setting<string | null>({
    flag: 'edge',
    env: 'WEFT_EDGE',
    read: readText,
    fallback: null,
    shape: 'NAME',
    doc: 'which edge of the file, with --standalone; else the token says it',
  }),
  caDir: setting<string>({
    flag: 'ca-dir',
    env: 'WEFT_CA_DIR',
    read: readText,
    fallback: '.weft/ca',
    shape: 'DIR',
    doc: 'authority for `tls: internal`, with --standalone',
  }),
  caPassphrase: CA_PASSPHRASE,
  accessLog: accessLog(true),
};

export type SidecarSettings = SettingsOf<typeof SIDECAR_SETTINGS>;
export type EdgeSettings = SettingsOf<typeof EDGE_SETTINGS>;

// Settings that every program of Weft has: where it shows its health, what it logs, how long it may take to stop.
import type { HostPort } from '../core/model/mesh.ts';
import { LOG_LEVELS, type LogLevel } from './log.ts';
import { readAddress, readChoice, readDuration, readText } from './setting-kinds.ts';
import { setting } from './settings.ts';

export const LOG_LEVEL = setting<LogLevel>({
  flag: 'log-level',
  env: 'WEFT_LOG_LEVEL',
  read: readChoice(LOG_LEVELS),
  fallback: 'info',
  shape: 'LEVEL',
  doc: `one of ${LOG_LEVELS.join(', ')}`,
});

export const CA_PASSPHRASE = setting<string | null>({
  flag: 'ca-passphrase',
  env: 'WEFT_CA_PASSPHRASE',
  read: readText,
  fallback: null,
  shape: 'TEXT',
  doc: "opens the authority's key where it is encrypted",
  secret: true,
});

export function statusSetting(port: number) {
  return setting<HostPort>({
    flag: 'status',
    env: 'WEFT_STATUS',
    read: readAddress('0.0.0.0'),
    fallback: { host: '0.0.0.0', port },
    shape: 'HOST:PORT',
    doc: 'health, readiness and metrics; port 0 is chosen by the system',
  });
}

/** @param fallback milliseconds */
export function drainSetting(fallback: number, doc: string) {
  return setting<number>({
    flag: 'drain',
    env: 'WEFT_DRAIN',
    read: readDuration,
    fallback,
    shape: 'TIME',
    doc,
  });
}

// The kinds of values that a setting can have, each read from text: what a flag, a variable and a file hold.
import { err, ok, type Result } from '../core/kit/result.ts';
import type { HostPort } from '../core/model/mesh.ts';

/** Reads a value, or says what was expected instead. */
export type Read<T> = (text: string) => Result<T, string>;

export const readText: Read<string> = (text) => (text === '' ? err('a value') : ok(text));

export const readSwitch: Read<boolean> = (text) => {
  if (text === 'on' || text === 'true' || text === '1' || text === 'yes') return ok(true);
  if (text === 'off' || text === 'false' || text === '0' || text === 'no') return ok(false);
  return err('on or off');
};

/** A reader of a whole number in these bounds. */
export function readCount(least: number, most: number): Read<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? ok(value) : err(`a whole number from ${least} to ${most}`);
  };
}

export function readChoice<const T extends readonly string[]>(choices: T): Read<T[number]> {
  return (text) => (choices.includes(text) ? ok(text as T[number]) : err(`one of ${choices.join(', ')}`));
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds from `250ms`, `5s`, `2m`, `1h`, or 0. No other bare number: `5` is a millisecond to one and a second to another. */
export const readDuration: Read<number> = (text) => {
  if (text === '0') return ok(0);
  const parts = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  const unit = UNITS[parts?.[2] ?? ''];
  return parts === null || unit === undefined ? err('a duration such as 250ms, 5s or 2m') : ok(Number(parts[1]) * unit);
};

/** A reader of `host:port`, `[v6]:port`, `:port` or a bare port; a missing host is `host`. */
export function readAddress(host: string): Read<HostPort> {
  return (text) => {
    const parts = /^(?:(\[[0-9A-Fa-f:.]+\]|[^:[\]\s]*):)?(\d{1,5})$/.exec(text);
    const port = Number(parts?.[2]);
    if (parts === null || port > 65_535) return err('host:port, such as 127.0.0.1:8080');
    const given = parts[1] ?? '';
    return ok({ host: given === '' ? host : given.replaceAll(/[[\]]/g, ''), port });
  };
}

/** At least one, tried in turn. */
export type Addresses = readonly [HostPort, ...HostPort[]];

const MOST_ADDRESSES = 16;

/** A reader of `host:port` addresses, comma-separated; a missing host is `host`. */
export function readAddresses(host: string): Read<Addresses> {
  return (text) => {
    const [first, ...more] = splitList(text).map(readAddress(host));
    const addresses: HostPort[] = [];
    for (const address of more) if (address.ok) addresses.push(address.value);
    if (first?.ok !== true || addresses.length < more.length)
      return err('host:port[,host:port…], such as a:15012,b:15012');
    return more.length < MOST_ADDRESSES ? ok([first.value, ...addresses]) : err(`at most ${MOST_ADDRESSES} addresses`);
  };
}

/** Comma-separated values. */
export const readList: Read<readonly string[]> = (text) => {
  const values = splitList(text);
  return values.length === 0 ? err('one or more values') : ok(values);
};

/** `payments=127.0.0.1:9001,orders=127.0.0.1:9002`: callee → loopback address. */
export const readAddressMap: Read<ReadonlyMap<string, HostPort>> = (text) => {
  const map = new Map<string, HostPort>();
  for (const entry of splitList(text)) {
    const at = entry.indexOf('=');
    const address = readAddress('127.0.0.1')(entry.slice(at + 1));
    if (at < 1 || !address.ok) return err('service=host:port, separated by commas');
    map.set(entry.slice(0, at).trim(), address.value);
  }
  return ok(map);
};

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

/** Milliseconds as they are written in settings: `5s`, `250ms`. */
export function formatDuration(ms: number): string {
  return ms > 0 && ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

/** `host:port` as text, IPv6 in brackets. */
export function formatAddress(address: HostPort): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

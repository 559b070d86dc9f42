// Where the environment of one service names another: `http://payments:8082`, `payments:8082`, a DSN, `DB_HOST=db`.
import { defaultPortOf, isHttpScheme } from './protocols.ts';
import type { ComposeService } from './project.ts';

export interface Reference {
  readonly from: string;
  /** Name of the compose service. */
  readonly to: string;
  /** The name by which it was called: the service's or an alias. */
  readonly host: string;
  /** null: it is named without a port. */
  readonly port: number | null;
  /** `http`: HTTP by its scheme. `other`: by its scheme something else. `none`: no scheme. */
  readonly protocol: 'http' | 'other' | 'none';
  /** Lower case; '' without one. */
  readonly scheme: string;
  /** Variable; '' where it stands in the command. */
  readonly variable: string;
  /** `docker-compose.yml:12` */
  readonly place: string;
}

/** Some DSNs list several hosts: `mongodb://user@a:27017,b:27017/shop`. gRPC's targets have a third slash: `dns:///a:50051`. */
const URL =
  /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*):\/\/\/?([^\s/?#"'<>,]+(?:,[\w.-]{1,255}(?::\d{1,5})?(?![\w.:-]*:\/\/))*)/gi;
const HOST_PORT = /(?<![\w.@/-])([A-Za-z0-9][A-Za-z0-9._-]*):(\d{1,5})(?![\w.:])/g;
const HOST_VARIABLE = /(^|_)(HOST|HOSTNAME|ADDR|ADDRESS|SERVER|ENDPOINT|SERVICE)$/i;

interface Found {
  readonly host: string;
  readonly port: number | null;
  readonly scheme: string;
}

/** `names`: every name by which a service is reached → the service. */
export function referencesOf(service: ComposeService, names: ReadonlyMap<string, string>): readonly Reference[] {
  const references: Reference[] = [];
  const add = (found: Found, variable: string, place: string): void => {
    const to = names.get(found.host);
    if (to === undefined || to === service.name) return;
    const protocol = found.scheme === '' ? 'none' : isHttpScheme(found.scheme) ? 'http' : 'other';
    references.push({ ...found, from: service.name, to, protocol, variable, place });
  };
  for (const entry of service.environment) {
    for (const found of findIn(entry.value)) add(found, entry.name, entry.place);
    // DB_HOST=db, and DB_PORT beside it.
    if (names.has(entry.value) && HOST_VARIABLE.test(entry.name)) {
      const sibling = entry.name.replace(HOST_VARIABLE, '$1PORT');
      const port = Number(service.environment.find(({ name }) => name === sibling)?.value ?? '');
      add({ host: entry.value, port: port > 0 ? port : null, scheme: '' }, entry.name, entry.place);
    }
  }
  for (const found of findIn(service.words)) add(found, '', `the command of ${service.name}`);
  return references;
}

function findIn(text: string): readonly Found[] {
  const found: Found[] = [];
  const rest = text.replaceAll(URL, (_, scheme: string, authority: string) => {
    for (const part of authority.slice(authority.lastIndexOf('@') + 1).split(',')) {
      const [host = '', port = ''] = part.split(':');
      found.push({ host, port: portNumber(port) ?? defaultPortOf(scheme.toLowerCase()), scheme: scheme.toLowerCase() });
    }
    return ' ';
  });
  for (const [, host = '', port = ''] of rest.matchAll(HOST_PORT)) {
    found.push({ host, port: portNumber(port), scheme: '' });
  }
  return found;
}

function portNumber(text: string): number | null {
  const port = Number(text);
  return /^\d+$/.test(text) && port >= 1 && port <= 65_535 ? port : null;
}

/** Every name by which services reach each other; an alias that two share means neither. */
export function namesOfServices(services: readonly ComposeService[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const shared = new Set<string>();
  for (const { name, aliases } of services) {
    for (const alias of aliases) {
      if (names.has(alias) && names.get(alias) !== name) shared.add(alias);
      else names.set(alias, name);
    }
  }
  for (const alias of shared) names.delete(alias);
  for (const { name } of services) names.set(name, name);
  return names;
}

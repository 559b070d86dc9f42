// Which names a configuration declares, over all its files; every reference is checked against this.
import type { Service } from '../model/mesh.ts';
import { suggestName } from './nearest.ts';
import type { Reader } from './reader.ts';
import type { EdgeFile, ServiceFile } from './schema.ts';

/** A service or an edge, with the file that it stands in. */
export interface Entry<T> {
  readonly name: string;
  readonly reader: Reader;
  readonly file: T;
  /** False where something was cut out of it: what its gaps imply is not reported. */
  readonly sound: boolean;
}

export interface Directory {
  /** False where a file or a section could not be read: then an unknown name may well be there. */
  readonly complete: boolean;
  /** null: declared, but not as anything that could be read. */
  readonly services: ReadonlyMap<string, Service | null>;
  readonly edges: ReadonlySet<string>;
  /** Names whose entry has errors of its own. */
  readonly unsound: ReadonlySet<string>;
}

export type ServiceEntry = Entry<ServiceFile>;
export type EdgeEntry = Entry<EdgeFile>;

const LISTED_NAMES = 8;

/** The hint for a service that is not there. */
export function suggestService(directory: Directory, name: string): string {
  const names = [...directory.services.keys()];
  const near = suggestName(name, names);
  if (near !== '') return near;
  if (names.length === 0) return 'no services are declared';
  return names.length <= LISTED_NAMES ? `there are: ${names.join(', ')}` : '';
}

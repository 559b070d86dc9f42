// The parts that routes of HTTP and of TCP and allow rules share, wire → model.
import type { NameValue, PathPattern } from '../../core/model/mesh.ts';
import { clusterName } from '../../core/model/brand.ts';
import type { WeightedCluster } from '../../core/model/view.ts';
import type { NameValue__Output } from '../gen/weft/v1/NameValue.ts';
import type { PathPattern__Output } from '../gen/weft/v1/PathPattern.ts';
import type { WeightedCluster__Output } from '../gen/weft/v1/WeightedCluster.ts';
import { modelWord, WIRE_PATH_KIND } from './enums.ts';
import { LIMITS, type FieldReader } from './fields.ts';

export function decodePath(
  reader: FieldReader,
  path: string,
  wire: PathPattern__Output | null | undefined,
): PathPattern {
  const present = reader.present(path, wire);
  if (present === null) return { kind: 'exact', path: '/' };
  const kind = modelWord(WIRE_PATH_KIND, present.kind);
  if (kind === undefined) reader.fail(`${path}.kind`, `has the unknown value ${present.kind}`);
  if (!present.path.startsWith('/')) reader.fail(`${path}.path`, "does not begin with '/'");
  return { kind: kind ?? 'exact', path: reader.text(`${path}.path`, present.path) };
}

export function decodeMethods(reader: FieldReader, path: string, wire: readonly string[]): string[] {
  return reader.list(path, wire, LIMITS.matches, (at, method) => reader.token(at, method));
}

/** Header fields have token names; query parameters may be called anything. */
export function decodePairs(
  reader: FieldReader,
  path: string,
  wire: readonly NameValue__Output[],
  names: 'token' | 'name',
): NameValue[] {
  return reader.list(path, wire, LIMITS.matches, (at, pair) => ({
    name: reader[names](`${at}.name`, pair.name),
    value: reader.text(`${at}.value`, pair.value),
  }));
}

export function decodeSplit(
  reader: FieldReader,
  path: string,
  wire: readonly WeightedCluster__Output[],
): readonly WeightedCluster[] {
  const split = reader.list(path, wire, LIMITS.split, (at, target) => ({
    cluster: clusterName(reader.name(`${at}.cluster`, target.cluster)),
    weight: reader.integer(`${at}.weight`, target.weight, 0, LIMITS.weight),
  }));
  if (!split.some(({ weight }) => weight > 0)) reader.fail(path, 'has no target with a weight above 0');
  return split;
}

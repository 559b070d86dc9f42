// A configuration as `weft explain` and `weft check` ask it, with nobody connected.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { compileSnapshot } from '../../core/compile/snapshot.ts';
import { parseConfig } from '../../core/config/parse.ts';
import type { Known } from '../../core/explain/known.ts';
import { ruleId } from '../../core/model/brand.ts';

export function knownOf(yaml: string): Known {
  const parsed = parseConfig([{ name: 'weft.yaml', text: yaml }]);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const { mesh, sources } = parsed.value;
  const compiled = compileSnapshot(mesh, (text) => createHash('sha256').update(text).digest('hex'));
  assert.ok(compiled.ok);
  const locate = (rule: string): string => {
    const place = sources.get(ruleId(rule));
    return place === undefined ? '' : `${place.file}:${place.line}:${place.column}`;
  };
  return { hash: compiled.value.hash, snapshot: compiled.value, locate, instances: null };
}

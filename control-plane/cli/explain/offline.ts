// Configuration files as something that can be asked: compiled as the control plane would, with nobody connected.
import { compileSnapshot } from '../../../core/compile/snapshot.ts';
import { parseConfig } from '../../../core/config/parse.ts';
import type { ConfigError } from '../../../core/config/problem.ts';
import type { Known } from '../../../core/explain/known.ts';
import { err, ok, type Result } from '../../../core/kit/result.ts';
import type { SourceMap } from '../../../core/model/mesh.ts';
import { ruleId } from '../../../core/model/brand.ts';
import { readConfigFiles } from '../../../host/config-files.ts';
import { sha256Hex } from '../../../host/hash.ts';

/** Everything that is wrong with them, or what they mean. */
export async function knownFromFiles(files: readonly string[]): Promise<Result<Known, readonly ConfigError[]>> {
  const texts = await readConfigFiles(files);
  if (!texts.ok) return texts;
  const parsed = parseConfig(texts.value);
  if (!parsed.ok) return parsed;
  const { mesh, sources } = parsed.value;
  const compiled = compileSnapshot(mesh, sha256Hex);
  if (compiled.ok) return ok({ snapshot: compiled.value, locate: locateIn(sources), instances: null });
  return err(
    compiled.error.map((error) => ({
      ...(sources.get(error.ruleId) ?? { file: '', line: 1, column: 1 }),
      ...{ path: error.ruleId, message: error.message, hint: '', severity: 'error' },
    })),
  );
}

function locateIn(sources: SourceMap): Known['locate'] {
  return (rule) => {
    const place = sources.get(ruleId(rule));
    return place === undefined ? '' : `${place.file}:${place.line}:${place.column}`;
  };
}

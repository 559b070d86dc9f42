// The snapshot in force: a new config takes its place only if it compiles for this mesh, and only a config that
// means something else is a change.
import type { ParsedConfig } from '../../core/config/parse.ts';
import { compileSnapshot, type Snapshot } from '../../core/compile/snapshot.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import type { RuleId } from '../../core/model/brand.ts';
import type { SourceMap } from '../../core/model/mesh.ts';
import { sha256Hex } from '../../host/hash.ts';

export interface Applied {
  readonly snapshot: Snapshot;
  /** False: the same meaning as before, as after an edit of a comment. Nothing is pushed. */
  readonly changed: boolean;
}

/** Why a config that was read is not put in force. */
export interface ConfigRefusal {
  readonly ruleId: string;
  readonly message: string;
}

export class SnapshotStore {
  /** Of the authority: a mesh of another trust domain could not be given certificates. */
  readonly #trustDomain: string;
  #snapshot: Snapshot | null = null;
  #sources: SourceMap = new Map();

  constructor(trustDomain: string) {
    this.#trustDomain = trustDomain;
  }

  /** null before the first. */
  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  apply(parsed: ParsedConfig): Result<Applied, readonly ConfigRefusal[]> {
    const { trustDomain } = parsed.mesh;
    if (trustDomain !== this.#trustDomain) {
      const message = `the trust domain is "${trustDomain}", but the certificate authority is of "${this.#trustDomain}"`;
      return err([{ ruleId: 'mesh.trustDomain', message }]);
    }
    const compiled = compileSnapshot(parsed.mesh, sha256Hex);
    if (!compiled.ok) return err(compiled.error);
    // Positions move with every edit, also with one that changes nothing else.
    this.#sources = parsed.sources;
    const changed = compiled.value.hash !== this.#snapshot?.hash;
    if (changed) this.#snapshot = compiled.value;
    return ok({ snapshot: this.#snapshot ?? compiled.value, changed });
  }

  /** `file:line:column` of a rule; '' where it is not known. */
  locate(ruleId: string): string {
    // A map of rule ids is asked for a text that may be none: then it has no entry.
    const position = this.#sources.get(ruleId as RuleId);
    return position === undefined ? '' : `${position.file}:${position.line}:${position.column}`;
  }
}

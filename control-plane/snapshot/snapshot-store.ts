// The snapshot in force: a new config takes its place only if it compiles for this mesh, and only a config that
// means something else is a change.
import type { ParsedConfig } from '../../core/config/parse.ts';
import { compileSnapshot, type Snapshot } from '../../core/compile/snapshot.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import type { RuleId } from '../../core/model/brand.ts';
import type { SourceMap } from '../../core/model/mesh.ts';
import { sha256Hex } from '../../host/hash.ts';
import { Prover, type ResponseCodec } from './prove.ts';

export interface Applied {
  readonly snapshot: Snapshot;
  /** False: the same meaning as before, as after an edit of a comment. Nothing is pushed. */
  readonly changed: boolean;
}

/** A snapshot that could be put in force. */
export interface Prepared extends Applied {
  readonly sources: SourceMap;
}

/** Why a config that was read is not put in force. */
export interface ConfigRefusal {
  readonly ruleId: string;
  readonly message: string;
  /** `file:line:column`; '' where it is not known. */
  readonly at: string;
}

export class SnapshotStore {
  /** Of the authority: a mesh of another trust domain could not be given certificates. */
  readonly #trustDomain: string;
  readonly #prover: Prover;
  #snapshot: Snapshot | null = null;
  #sources: SourceMap = new Map();

  constructor(trustDomain: string, codec: ResponseCodec) {
    this.#trustDomain = trustDomain;
    this.#prover = new Prover(codec);
  }

  /** null before the first. */
  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  /** Whether it could be put in force, and what it would be; nothing changes yet. */
  prepare(parsed: ParsedConfig): Result<Prepared, readonly ConfigRefusal[]> {
    const { sources } = parsed;
    const { trustDomain } = parsed.mesh;
    if (trustDomain !== this.#trustDomain) {
      const message = `the trust domain is "${trustDomain}", but the certificate authority is of "${this.#trustDomain}": name that one, or make another authority`;
      return err([{ ruleId: 'mesh.trustDomain', message, at: placeIn(sources, 'mesh.trustDomain') }]);
    }
    const refused = (errors: readonly { readonly ruleId: string; readonly message: string }[]) =>
      err(errors.map(({ ruleId, message }) => ({ ruleId, message, at: placeIn(sources, ruleId) })));
    const compiled = compileSnapshot(parsed.mesh, sha256Hex, this.#snapshot);
    if (!compiled.ok) return refused(compiled.error);
    const changed = compiled.value.hash !== this.#snapshot?.hash;
    const unfit = changed ? this.#prover.unfit(compiled.value) : [];
    return unfit.length > 0 ? refused(unfit) : ok({ snapshot: compiled.value, changed, sources });
  }

  /** What was prepared is in force now. */
  commit({ snapshot, sources }: Prepared): Applied {
    const changed = snapshot.hash !== this.#snapshot?.hash;
    // Positions move with every edit, also with one that changes nothing else.
    this.#sources = sources;
    if (changed || this.#snapshot === null) this.#snapshot = snapshot;
    return { snapshot: this.#snapshot, changed };
  }

  apply(parsed: ParsedConfig): Result<Applied, readonly ConfigRefusal[]> {
    const prepared = this.prepare(parsed);
    return prepared.ok ? ok(this.commit(prepared.value)) : prepared;
  }

  /** `file:line:column` of a rule; '' where it is not known. */
  locate(ruleId: string): string {
    return placeIn(this.#sources, ruleId);
  }
}

function placeIn(sources: SourceMap, ruleId: string): string {
  // A map of rule ids is asked for a text that may be none: then it has no entry.
  const position = sources.get(ruleId as RuleId);
  return position === undefined ? '' : `${position.file}:${position.line}:${position.column}`;
}

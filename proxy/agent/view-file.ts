// The last good view on disk: `view.json` in the state folder, 0600, with a checksum, replaced as a whole. It holds one
// response of the stream that would bring the whole view, and is read back as strictly as one.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import type { SpiffeId } from '../../core/model/brand.ts';
import type { View } from '../../core/model/view.ts';
import { readState, writeState } from '../../host/files.ts';
import { describeFlaw } from '../../proto/codec/fields.ts';
import type { DiscoveryDefinition } from '../../proto/gen/weft/v1/Discovery.ts';
import { NO_HOLDINGS, stage, type Holdings } from './holdings.ts';

export interface KeptView {
  readonly view: View;
  /** What to tell the control plane that this proxy holds, once the view runs. */
  readonly holdings: Holdings;
  /** When the control plane last stood behind it; milliseconds since 1970. */
  readonly confirmedAt: number;
}

/** Where an agent keeps the view that runs. Neither method throws: what is wrong is logged. */
export interface ViewStore {
  /** null: there is none that can be used. */
  load(): Promise<KeptView | null>;
  /** Resolves when this view, or a later one, is kept. */
  save(held: Holdings, confirmedAt: number): Promise<void>;
}

export interface ViewFileOptions {
  readonly stateDir: string;
  /** Whose view it is: another one's file is ignored. */
  readonly owner: { readonly spiffeId: SpiffeId; readonly instance: string };
  /** Program version: another one may know more fields than the one that wrote the file. */
  readonly program: string;
  readonly codec: Pick<DiscoveryDefinition['Stream'], 'responseSerialize' | 'responseDeserialize'>;
  readonly log: Log;
}

const NAME = 'view.json';
/** Of what is in the file; files from before it was said are of this one. */
const FORMAT = 1;

/** A proxy that joins anew has no view yet, whatever it ran before. */
export async function dropViewFile(stateDir: string): Promise<void> {
  await rm(join(stateDir, NAME), { force: true });
}

export class ViewFile implements ViewStore {
  readonly #options: ViewFileOptions;
  readonly #path: string;
  /** The latest that is not written yet. */
  #next: { readonly held: Holdings; readonly confirmedAt: number } | null = null;
  #writing: Promise<void> | null = null;
  #failed = false;

  constructor(options: ViewFileOptions) {
    this.#options = options;
    this.#path = join(options.stateDir, NAME);
  }

  async load(): Promise<KeptView | null> {
    try {
      const state = await readState(this.#path);
      if (state === null) return null;
      const kept = this.#read(state);
      if (kept.ok) return kept.value;
      this.#ignore(kept.error);
    } catch (error) {
      this.#ignore(describeError(error));
    }
    return null;
  }

  save(held: Holdings, confirmedAt: number): Promise<void> {
    this.#next = { held, confirmedAt };
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  /** One at a time; what came meanwhile is written in one go. */
  async #write(): Promise<void> {
    for (let next = this.#next; next !== null; next = this.#next) {
      this.#next = null;
      try {
        await writeState(this.#path, this.#state(next.held, next.confirmedAt));
        this.#failed = false;
      } catch (error) {
        if (!this.#failed)
          this.#options.log.warn({ path: this.#path }, `the view is not kept: ${describeError(error)}`);
        this.#failed = true;
      }
    }
  }

  #state(held: Holdings, confirmedAt: number): object {
    const { owner, program, codec } = this.#options;
    const response = { nonce: '', snapshot: held.snapshot ?? '', resources: [...held.wire.values()], removed: [] };
    const view = codec.responseSerialize(response).toString('base64');
    return { format: FORMAT, spiffeId: owner.spiffeId, instance: owner.instance, program, confirmedAt, view };
  }

  #read(state: unknown): Result<KeptView, string> {
    const { owner, program, codec } = this.#options;
    const format = formatOf(state);
    if (format !== FORMAT) return err(`it is of format ${format}, and this program knows ${FORMAT}`);
    if (!isKept(state)) return err('it is not of a kind that is known here');
    if (state.spiffeId !== owner.spiffeId || state.instance !== owner.instance) {
      return err(`it is of ${state.spiffeId}, instance ${state.instance}`);
    }
    const staged = stage(NO_HOLDINGS, codec.responseDeserialize(Buffer.from(state.view, 'base64')));
    if (!staged.ok) return err(describeFlaw(staged.error));
    const { view, next } = staged.value;
    // A version says what a resource was when it was sent; fields that the writer did not know are not in the file.
    const holdings = state.program === program ? next : NO_HOLDINGS;
    return ok({ view, holdings, confirmedAt: state.confirmedAt });
  }

  #ignore(reason: string): void {
    this.#options.log.warn({ code: 'state-corrupt', path: this.#path }, `the kept view is ignored: ${reason}`);
  }
}

interface Kept {
  readonly spiffeId: string;
  readonly instance: string;
  readonly program: string;
  readonly confirmedAt: number;
  readonly view: string;
}

function formatOf(state: unknown): string | number {
  if (typeof state !== 'object' || state === null || !('format' in state)) return FORMAT;
  return typeof state.format === 'number' ? state.format : 'unknown';
}

function isKept(state: unknown): state is Kept {
  if (typeof state !== 'object' || state === null) return false;
  const texts = new Map<string, unknown>(Object.entries(state));
  return (
    ['spiffeId', 'instance', 'program', 'view'].every((name) => typeof texts.get(name) === 'string') &&
    typeof texts.get('confirmedAt') === 'number'
  );
}

// Every certificate that was issued, one JSON line each in `issued.jsonl`, appended and synced before the
// certificate is handed out. Loaded at start: the serial of a connected peer leads to the grant behind it, that is
// to the service version and instance which its join token gave it.
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { MeshError } from '../../core/kit/error.ts';
import { isErrno, SECRET_MODE } from '../../host/files.ts';
import type { Clock } from '../ambient.ts';

export interface Grant {
  /** Lower-case hex, as `verifyPeer` gives it. */
  readonly serial: string;
  readonly purpose: 'svid' | 'server';
  readonly identity: string;
  /** Service, or `edge-<name>`. */
  readonly account: string;
  /** Version label of the service; null: none. */
  readonly version: string | null;
  /** `orders-7f3a`. */
  readonly instance: string;
  readonly tokenId: string;
  /** Fingerprint of the certified key (certs/x509/key.ts). */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  readonly issuedAt: number;
}

const PRUNE_EVERY = 1024;
const MAX_LINE = 4096;
/** Lines of one write. */
const MOST_TOGETHER = 256;

/** Holds an open file from `openLedger` until `close`. One process writes at a time. */
export class GrantLedger {
  readonly #file: FileHandle;
  readonly #clock: Clock;
  readonly #bySerial: Map<string, Grant>;
  /** Lines that could not be read at start: their certificates cannot be renewed. */
  readonly damagedLines: number;
  readonly #waiting: Waiting[] = [];
  /** Set while something is being written. */
  #writing: Promise<void> | null = null;
  /** A write failed: what there is of its last line must not swallow the next one. */
  #torn = false;
  #untilPrune = PRUNE_EVERY;

  constructor(file: FileHandle, clock: Clock, loaded: LoadedGrants) {
    this.#file = file;
    this.#clock = clock;
    this.#bySerial = new Map(loaded.grants.map((grant) => [grant.serial, grant]));
    this.damagedLines = loaded.damagedLines;
  }

  /** null: never issued here, or expired. */
  grantOf(serial: string): Grant | null {
    const grant = this.#bySerial.get(serial);
    return grant !== undefined && grant.notAfter > this.#clock() ? grant : null;
  }

  /** Every one that has not expired, oldest first. */
  grants(): readonly Grant[] {
    const now = this.#clock();
    return [...this.#bySerial.values()].filter((grant) => grant.notAfter > now);
  }

  /** Whether a live certificate for another key carries this instance name. */
  isInstanceTaken(instance: string, key: string): boolean {
    const now = this.#clock();
    for (const grant of this.#bySerial.values()) {
      if (grant.instance === instance && grant.key !== key && grant.notAfter > now) return true;
    }
    return false;
  }

  /** Resolves once the line is on disk; before that the certificate must not leave. */
  record(grant: Grant): Promise<void> {
    return new Promise((done, fail) => {
      this.#waiting.push({ grant, done, fail });
      this.#writing ??= this.#writeAll();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  /** Whoever comes while the disk is busy goes together with the others: a sync is what a line costs. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST_TOGETHER);
      try {
        await this.#append(batch.map(({ grant }) => grant));
        for (const { done } of batch) done();
      } catch (error) {
        this.#torn = true;
        for (const { fail } of batch) fail(error);
      }
    }
    this.#writing = null;
  }

  async #append(grants: readonly Grant[]): Promise<void> {
    const lines = grants.map((grant) => `${JSON.stringify(grant)}\n`).join('');
    await this.#file.appendFile(this.#torn ? `\n${lines}` : lines);
    this.#torn = false;
    await this.#file.datasync();
    for (const grant of grants) this.#bySerial.set(grant.serial, grant);
    this.#untilPrune -= grants.length;
    if (this.#untilPrune > 0) return;
    this.#untilPrune = PRUNE_EVERY;
    const now = this.#clock();
    for (const [serial, old] of this.#bySerial) if (old.notAfter <= now) this.#bySerial.delete(serial);
  }
}

interface Waiting {
  readonly grant: Grant;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

interface LoadedGrants {
  readonly grants: readonly Grant[];
  readonly damagedLines: number;
}

/** Makes the file where there is none; its folder must exist. Throws MeshError `file-unreadable`. */
export async function openLedger(path: string, clock: Clock): Promise<GrantLedger> {
  try {
    const loaded = await load(path, clock());
    const file = await open(path, 'a', SECRET_MODE);
    // A last line that a crash tore off must not swallow the next one; empty lines are skipped.
    if ((await file.stat()).size > 0) await file.appendFile('\n');
    return new GrantLedger(file, clock, loaded);
  } catch (cause) {
    throw new MeshError('file-unreadable', { detail: path, cause });
  }
}

/** Line by line, and only what is still valid: memory follows the live certificates, not the file. */
async function load(path: string, now: number): Promise<LoadedGrants> {
  const grants: Grant[] = [];
  let damagedLines = 0;
  try {
    const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) {
      if (line === '') continue;
      const grant = parseGrant(line);
      if (grant === null) damagedLines += 1;
      else if (grant.notAfter > now) grants.push(grant);
    }
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw cause;
  }
  return { grants, damagedLines };
}

function parseGrant(line: string): Grant | null {
  if (line.length > MAX_LINE) return null;
  try {
    const value: unknown = JSON.parse(line);
    return isGrant(value) ? value : null;
  } catch {
    return null;
  }
}

function isGrant(value: unknown): value is Grant {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const texts = ['serial', 'identity', 'account', 'instance', 'tokenId', 'key'];
  const version = fields.get('version');
  return (
    texts.every((name) => typeof fields.get(name) === 'string') &&
    (version === null || typeof version === 'string') &&
    (fields.get('purpose') === 'svid' || fields.get('purpose') === 'server') &&
    typeof fields.get('notAfter') === 'number' &&
    typeof fields.get('issuedAt') === 'number'
  );
}

// Reading single fields of a message that somebody else wrote: every reader returns a usable value and
// notes what was wrong with it, so that a decoder stays a plain listing of fields.
import { parseCidr } from '../../core/kit/cidr.ts';
import { milliseconds, ruleId, type Milliseconds, type RuleId, type SpiffeId } from '../../core/model/brand.ts';

/** What is wrong with a resource: `resource` is `type/name`, `path` the field in it. */
export interface Flaw {
  readonly resource: string;
  readonly path: string;
  readonly reason: string;
  /** The nearest rule id, '' where none is known. */
  readonly ruleId: string;
}

export function describeFlaw(flaw: Flaw): string {
  const where = flaw.path === '' ? flaw.resource : `${flaw.resource} ${flaw.path}`;
  return `${where}: ${flaw.reason}`;
}

/** The longest name, and the most entries of each kind of list, that a view may hold. */
export const LIMITS = {
  name: 256,
  text: 8192,
  ruleId: 1024,
  identity: 2048,
  endpoints: 10_000,
  routes: 10_000,
  callers: 10_000,
  rules: 1_000,
  matches: 256,
  split: 256,
  /** setTimeout takes no more. */
  milliseconds: 2 ** 31 - 1,
  weight: 1_000_000,
  /** Resources in one view. */
  resources: 50_000,
} as const;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** In its one plain form: no leading zeros. */
const LOOPBACK = /^127\.15(?:\.(?:0|[1-9]\d{0,2})){2}$/;

/** Collects the first flaw of one resource; later ones are mostly its consequences. */
export class FieldReader {
  readonly resource: string;
  /** The rule that the decoder is in, for the flaw. */
  rule = '';
  flaw: Flaw | null = null;

  constructor(resource: string) {
    this.resource = resource;
  }

  fail(path: string, reason: string): void {
    this.flaw ??= { resource: this.resource, path, reason, ruleId: this.rule };
  }

  /** A name that something else may refer to: not empty, bounded, without control characters. */
  name(path: string, value: string): string {
    if (value === '') this.fail(path, 'is empty');
    return this.#bounded(path, value, LIMITS.name);
  }

  /** Free text, possibly empty. */
  text(path: string, value: string): string {
    return this.#bounded(path, value, LIMITS.text);
  }

  ruleId(path: string, value: string): RuleId {
    if (value === '') this.fail(path, 'is empty');
    this.rule = this.#bounded(path, value, LIMITS.ruleId);
    return ruleId(this.rule);
  }

  identity(path: string, value: string): SpiffeId {
    if (!value.startsWith('spiffe://')) this.fail(path, 'is not a SPIFFE ID');
    // The one place where a SPIFFE ID comes off the wire; certificates are compared with it as text.
    return this.#bounded(path, value, LIMITS.identity) as SpiffeId;
  }

  token(path: string, value: string): string {
    if (value.length > LIMITS.name || !TOKEN.test(value)) this.fail(path, 'is not an HTTP token');
    return value;
  }

  integer(path: string, value: number, least: number, most: number): number {
    if (!Number.isInteger(value) || value < least || value > most) {
      this.fail(path, `is ${value}, expected ${least} to ${most}`);
    }
    return value;
  }

  port(path: string, value: number, least: 0 | 1): number {
    return this.integer(path, value, least, 65_535);
  }

  /** The address of a plain name. Nowhere else: a proxy listens there, and whoever reaches it speaks as its workload. */
  loopback(path: string, value: string): string {
    if (!LOOPBACK.test(value) || value.split('.').some((octet) => Number(octet) > 255)) {
      this.fail(path, 'is not an address in 127.15.0.0/16');
    }
    return value;
  }

  cidr(path: string, value: string): string {
    if (parseCidr(value) === null) this.fail(path, 'is not a network such as 10.0.0.0/8');
    return value;
  }

  milliseconds(path: string, value: number): Milliseconds {
    return milliseconds(this.integer(path, value, 0, LIMITS.milliseconds));
  }

  list<Wire, Model>(path: string, values: readonly Wire[], most: number, read: (path: string, value: Wire) => Model) {
    if (values.length > most) {
      this.fail(path, `has ${values.length} entries, at most ${most} are taken`);
      return [];
    }
    return values.map((value, index): Model => read(`${path}[${index}]`, value));
  }

  /** A message that must be there. */
  present<Wire>(path: string, value: Wire | null | undefined): Wire | null {
    if (value !== null && value !== undefined) return value;
    this.fail(path, 'is missing');
    return null;
  }

  #bounded(path: string, value: string, most: number): string {
    if (value.length > most) this.fail(path, `has ${value.length} characters, at most ${most} are taken`);
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      if (unit < 0x20 || unit === 0x7f) {
        this.fail(path, 'has a control character');
        break;
      }
    }
    return value;
  }
}

// A response head from its text: status line (RFC 9112 §4) and what frames its body (§6.3).
import type { ResponseHead } from '../exchange.ts';
import { CR, FIELD_VALUE, SP } from '../kit/characters.ts';
import type { FieldParser } from './fields.ts';
import type { Http1Limits } from './limits.ts';

const ZERO = 48;

/** One per connection. */
export class ResponseHeadParser {
  detail = '';
  /** Of the last head: 10 or 11. */
  version = 11;
  /** Of the last head: its body ends with the connection. */
  untilClose = false;

  readonly #fields: FieldParser;
  readonly #limits: Http1Limits;
  #status = 0;
  #reason = '';

  constructor(fields: FieldParser, limits: Http1Limits) {
    this.#fields = fields;
    this.#limits = limits;
  }

  /** Lets go of the last head's strings. */
  forget(): void {
    this.#reason = '';
    this.#fields.forget();
  }

  /** `method` is the request's. Null: see `detail`. */
  parse(text: string, end: number, method: string): ResponseHead | null {
    const fields = this.#fields;
    const afterLine = this.#line(text);
    if (afterLine < 0) return null;
    if (!fields.parse(text, afterLine, end)) return this.#refuse(fields.detail);
    if (fields.chunked && this.version === 10) return this.#refuse('Transfer-Encoding in HTTP/1.0');
    const status = this.#status;
    const bodiless = method === 'HEAD' || status === 304 || status === 204 || status < 200;
    const declares = method === 'HEAD' || status === 304;
    this.untilClose = !bodiless && !fields.chunked && fields.contentLength < 0;
    return {
      status,
      reason: this.#reason,
      headers: fields.headers,
      bodyLength: bodiless ? 0 : fields.chunked ? -1 : fields.contentLength,
      declaredLength: declares ? fields.contentLength : -1,
    };
  }

  /** The index after the status line, or -1. */
  #line(text: string): number {
    if (text.startsWith('HTTP/1.1 ')) this.version = 11;
    else if (text.startsWith('HTTP/1.0 ')) this.version = 10;
    else return this.#no('the status line does not begin with a version spoken here');
    const status = digit(text, 9) * 100 + digit(text, 10) * 10 + digit(text, 11);
    if (!(status >= 100 && status <= 599)) return this.#no('the status is not one');
    this.#status = status;
    let at = 12;
    // The space after the status is due even without a reason, but many servers leave it out.
    if (text.charCodeAt(at) === SP) at++;
    else if (text.charCodeAt(at) !== CR) return this.#no('the status is not one');
    const start = at;
    while (FIELD_VALUE[text.charCodeAt(at)] === 1) at++;
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== 10)
      return this.#no('a control character in the reason');
    if (at > this.#limits.lineBytes) return this.#no('the status line is too long');
    this.#reason = text.slice(start, at);
    return at + 2;
  }

  #no(detail: string): -1 {
    this.detail = detail;
    return -1;
  }

  #refuse(detail: string): null {
    this.detail = detail;
    return null;
  }
}

/** NaN for anything else, which no comparison accepts. */
function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - ZERO;
  return value >= 0 && value <= 9 ? value : Number.NaN;
}

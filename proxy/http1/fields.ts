// Parses a header or trailer section in one pass: end-to-end fields go into a HeaderList, the fields that
// frame a message or concern one hop are read here and taken out (RFC 9110 §7.6.1, RFC 9112 §5 to §7).
import type { ErrorCode } from '../../core/kit/error-table.ts';
import { HeaderList } from '../kit/header-list.ts';
import { mayTrail } from '../kit/trailers.ts';
import { COLON, FIELD_VALUE, HTAB, isToken, SP, TOKEN } from '../kit/characters.ts';
import { decimal, forEachElement } from '../kit/field-values.ts';
import type { Http1Limits } from './limits.ts';

/**
 * Fields that `Connection` cannot name away: framing, routing and what access is decided by. A sender
 * that names them is wrong (RFC 9110 §7.6.1), and to believe it is a known way around policies.
 */
export const NOT_PER_HOP: ReadonlySet<string> = new Set(
  `authorization cache-control content-encoding content-length content-range content-type cookie forwarded
  host set-cookie traceparent tracestate via x-forwarded-client-cert x-forwarded-for x-forwarded-host
  x-forwarded-proto x-request-id`.split(/\s+/),
);

/** Options that name what `#special` takes out in any case. */
const TAKEN_ANYWAY = new Set(['keep-alive', 'te', 'http2-settings']);

/** Each costs a search of all fields. */
const MAX_NAMED = 16;

const NONE = new HeaderList();

/** One per connection, used for every section that it reads. */
export class FieldParser {
  headers = new HeaderList();
  /** Value of Host, null where there is none. */
  host: string | null = null;
  /** -1: none. */
  contentLength = -1;
  chunked = false;
  /** Connection options (RFC 9110 §7.6.1). */
  close = false;
  connectionUpgrade = false;
  /** First protocol of Upgrade that may be forwarded, lower-case; '' for none. */
  upgrade = '';
  /** Lower-case. */
  expect = '';
  /** Seconds of `Keep-Alive: timeout`, -1 for none. */
  keepAliveTimeout = -1;
  /** Why `parse` said no. */
  code: ErrorCode = 'bad-request';
  detail = '';

  readonly #limits: Http1Limits;
  #named: string[] | null = null;
  #trailersAccepted = false;
  /** Of the last line: where its name ends, and where its value begins and ends. */
  #colon = 0;
  #valueStart = 0;
  #valueEnd = 0;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
  }

  /** Reads the lines of `text` from `start` to `end`, each with its CRLF. False: see `code` and `detail`. */
  parse(text: string, start: number, end: number): boolean {
    this.#reset();
    if (end - start > this.#limits.headerBytes)
      return this.refuse('the header section is too long', 'headers-too-large');
    this.headers.source = text;
    let count = 0;
    for (let at = start; at < end; ) {
      if (++count > this.#limits.headerFields) return this.refuse('there are too many fields', 'headers-too-large');
      at = this.#line(text, at, end);
      if (at < 0) return false;
    }
    if (this.contentLength >= 0 && this.chunked) return this.refuse('both Content-Length and Transfer-Encoding');
    if (this.#named !== null) for (const name of this.#named) this.headers.remove(name);
    if (this.#trailersAccepted) this.headers.add('te', 'trailers');
    return true;
  }

  /**
   * The same for a trailer section: null when it is refused. Fields that may not be trailers are dropped;
   * framing there is an attack on whoever merges trailers into the head, and refused (as llhttp does).
   */
  parseTrailers(text: string, start: number, end: number): HeaderList | null {
    // Connection in the head names trailer fields too (RFC 9110 §7.6.1).
    const named = this.#named;
    this.#reset();
    const kept = new HeaderList();
    let count = 0;
    for (let at = start; at < end; ) {
      if (++count > this.#limits.headerFields) {
        this.refuse('there are too many trailer fields', 'headers-too-large');
        return null;
      }
      const next = this.#plainLine(text, at, end);
      if (next < 0) return null;
      const name = text.slice(at, this.#colon);
      at = next;
      const lower = name.toLowerCase();
      if (lower === 'content-length' || lower === 'transfer-encoding') {
        this.refuse('framing in a trailer section');
        return null;
      }
      if (!mayTrail(lower) || named?.includes(lower)) continue;
      kept.add(name, text.slice(this.#valueStart, this.#valueEnd));
    }
    return kept;
  }

  refuse(detail: string, code: ErrorCode = 'bad-request'): false {
    this.code = code;
    this.detail = detail;
    return false;
  }

  /** Lets go of the last section's strings: each keeps the whole head alive, and idle connections are many. */
  forget(): void {
    this.headers = NONE;
    this.host = null;
    this.upgrade = '';
    this.expect = '';
    this.#named = null;
  }

  #reset(): void {
    this.headers = new HeaderList();
    this.host = null;
    this.contentLength = -1;
    this.chunked = false;
    this.close = false;
    this.connectionUpgrade = false;
    this.upgrade = '';
    this.expect = '';
    this.keepAliveTimeout = -1;
    this.#named = null;
    this.#trailersAccepted = false;
  }

  /** Reads one line; the index after it, or -1. */
  #line(text: string, start: number, end: number): number {
    const next = this.#plainLine(text, start, end);
    if (next < 0) return next;
    const name = text.slice(start, this.#colon);
    const value = text.slice(this.#valueStart, this.#valueEnd);
    switch (name.length) {
      case 2:
      case 4:
      case 6:
      case 7:
      case 10:
      case 14:
      case 16:
      case 17: {
        const taken = this.#special(name.toLowerCase(), value);
        if (taken === REFUSED) return -1;
        // Legal, sent by nobody, and read differently by parsers in use: llhttp is one.
        if ((this.chunked || this.contentLength >= 0) && name.length >= 14 && text.slice(start, next).includes('\t')) {
          this.refuse('a tab around a framing value');
          return -1;
        }
        if (taken === TAKEN) return next;
        break;
      }
      default:
    }
    if (next - start === name.length + value.length + 4 && text.charCodeAt(this.#colon + 1) === SP)
      this.headers.addLine(name, value, next);
    else this.headers.add(name, value);
    return next;
  }

  /** Where the parts of one line are; the index after it, or -1. */
  #plainLine(text: string, start: number, end: number): number {
    let at = start;
    while (TOKEN[text.charCodeAt(at)] === 1) at++;
    if (at === start || text.charCodeAt(at) !== COLON) return this.#badName(text, start, at);
    this.#colon = at++;
    for (let c = text.charCodeAt(at); c === SP || c === HTAB; c = text.charCodeAt(at)) at++;
    const valueStart = at;
    while (FIELD_VALUE[text.charCodeAt(at)] === 1) at++;
    if (text.charCodeAt(at) !== 13 || text.charCodeAt(at + 1) !== 10 || at + 2 > end) {
      this.refuse('a control character in a field value');
      return -1;
    }
    let valueEnd = at;
    for (let c = text.charCodeAt(valueEnd - 1); valueEnd > valueStart && (c === SP || c === HTAB); ) {
      valueEnd--;
      c = text.charCodeAt(valueEnd - 1);
    }
    this.#valueStart = valueStart;
    this.#valueEnd = valueEnd;
    return at + 2;
  }

  #badName(text: string, start: number, at: number): -1 {
    const c = text.charCodeAt(at);
    if (c === SP || c === HTAB) {
      this.refuse(at === start ? 'a folded field line' : 'a space in or after a field name');
    } else {
      this.refuse('a field name that is not a token');
    }
    return -1;
  }

  #special(name: string, value: string): typeof KEPT | typeof TAKEN | typeof REFUSED {
    switch (name) {
      case 'host':
        if (this.host !== null) return this.#no('more than one Host');
        this.host = value;
        return TAKEN;
      case 'content-length':
        if (this.contentLength >= 0) return this.#no('more than one Content-Length');
        this.contentLength = decimal(value);
        return this.contentLength < 0 ? this.#no('a Content-Length that is not a number') : TAKEN;
      case 'transfer-encoding':
        return this.#transferEncoding(value);
      case 'connection':
        return this.#connection(value);
      case 'upgrade':
        return this.#upgrade(value);
      case 'te':
        forEachElement(value, (element) => {
          if (element.toLowerCase() === 'trailers') this.#trailersAccepted = true;
        });
        return TAKEN;
      case 'expect':
        this.expect = this.expect === '' ? value.toLowerCase() : 'repeated';
        return TAKEN;
      case 'keep-alive':
        forEachElement(value, (element) => {
          if (element.toLowerCase().startsWith('timeout=')) this.keepAliveTimeout = decimal(element.slice(8).trim());
        });
        return TAKEN;
      case 'proxy-connection':
      case 'http2-settings':
        return TAKEN;
      default:
        return KEPT;
    }
  }

  #transferEncoding(value: string): typeof TAKEN | typeof REFUSED {
    if (this.chunked) return this.#no('more than one Transfer-Encoding');
    const lower = value.toLowerCase();
    if (lower === 'chunked') {
      this.chunked = true;
      return TAKEN;
    }
    // Codings that exist, with chunked last, are well formed, only not spoken here (RFC 9112 §6.1).
    return /^(?:x-)?(?:gzip|compress|deflate)[\t ]*,[\t ]*chunked$/.test(lower)
      ? this.#no('a transfer coding besides chunked', 'not-implemented')
      : this.#no('a Transfer-Encoding other than chunked');
  }

  #connection(value: string): typeof TAKEN | typeof REFUSED {
    if (value === 'keep-alive') return TAKEN;
    const bad = forEachElement(value, (element) => {
      const option = element.toLowerCase();
      if (option === 'close') this.close = true;
      else if (option === 'upgrade') this.connectionUpgrade = true;
      else if (!isToken(option)) return true;
      else if (!NOT_PER_HOP.has(option) && !TAKEN_ANYWAY.has(option)) (this.#named ??= []).push(option);
      return (this.#named?.length ?? 0) > MAX_NAMED;
    });
    return bad ? this.#no('a Connection option that is not a token, or too many') : TAKEN;
  }

  #upgrade(value: string): typeof TAKEN {
    forEachElement(value, (element) => {
      const protocol = element.toLowerCase();
      // h2c and TLS change what this hop itself speaks: never forwarded.
      if (this.upgrade !== '' || protocol === 'h2c' || protocol.startsWith('tls/')) return;
      const slash = protocol.indexOf('/');
      const named =
        slash < 0 ? isToken(protocol) : isToken(protocol.slice(0, slash)) && isToken(protocol.slice(slash + 1));
      if (named) this.upgrade = protocol;
    });
    return TAKEN;
  }

  #no(detail: string, code: ErrorCode = 'bad-request'): typeof REFUSED {
    this.refuse(detail, code);
    return REFUSED;
  }
}

const KEPT = 0;
const TAKEN = 1;
const REFUSED = 2;

// Decoded fields into heads and trailers, checked as RFC 9113 §8 wants it: pseudo-header fields first and once,
// nothing of one HTTP/1.1 connection, one Content-Length, one authority.
import type { ErrorCode } from '../../core/kit/error-table.ts';
import type { RequestHead, ResponseHead } from '../exchange.ts';
import { isAuthority } from '../kit/authority.ts';
import { isToken, TARGET } from '../kit/characters.ts';
import { decimal } from '../kit/field-values.ts';
import { HeaderList } from '../kit/header-list.ts';
import { mayTrail } from '../kit/trailers.ts';
import { CONTENT_LENGTH, COOKIE, EXPECT, HOST, PER_HOP, PLAIN, PSEUDO, TE } from './field-kind.ts';
import type { FieldSink } from './hpack-decoder.ts';
import type { Http2Limits } from './limits.ts';
import { reasonOf } from './reasons.ts';
import { WEBSOCKET } from './web-socket.ts';

/** One per connection; `reset` before every block. */
export class MessageReader implements FieldSink {
  /** Why a head was refused. `malformed`: the stream is reset; else it may be answered. */
  code: ErrorCode = 'bad-request';
  detail = '';
  malformed = false;

  readonly #limits: Http2Limits;
  #headers = new HeaderList();
  #pseudo: (string | undefined)[] = [];
  #contentLength = -1;
  #host: string | null = null;
  #expect = '';
  #cookie = '';
  /** A field that is no pseudo-header came. */
  #others = false;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
  }

  reset(): void {
    this.code = 'bad-request';
    this.detail = '';
    this.malformed = false;
    this.#headers = new HeaderList();
    this.#pseudo = [undefined, undefined, undefined, undefined, undefined, undefined];
    this.#contentLength = -1;
    this.#host = null;
    this.#expect = '';
    this.#cookie = '';
    this.#others = false;
  }

  onField(name: string, value: string, kind: number): void {
    if (kind !== PSEUDO) this.#others = true;
    switch (kind) {
      case PLAIN:
        this.#headers.add(name, value);
        return;
      case PSEUDO:
        return this.#takePseudo(name, value);
      case CONTENT_LENGTH:
        if (this.#contentLength >= 0) return this.#spoil('more than one content-length');
        this.#contentLength = decimal(value);
        if (this.#contentLength < 0) this.#spoil('a content-length that is not a number');
        return;
      case HOST:
        if (this.#host !== null) return this.#spoil('more than one host');
        this.#host = value;
        return;
      case TE:
        if (value !== 'trailers') return this.#spoil('te other than trailers');
        this.#headers.set('te', value);
        return;
      case EXPECT:
        this.#expect = this.#expect === '' ? value.toLowerCase() : 'repeated';
        return;
      case COOKIE:
        // May come in pieces, which HTTP/1.1 does not know (RFC 9113 §8.2.3).
        this.#cookie = this.#cookie === '' ? value : `${this.#cookie}; ${value}`;
        return;
      case PER_HOP:
        return this.#spoil('a field of an HTTP/1.1 connection');
      default:
        return this.#spoil('a field name or value that is none');
    }
  }

  /** Null: see `code`, `detail` and `malformed`. `tooLarge`: not all fields were passed on. */
  request(scheme: 'http' | 'https', endStream: boolean, tooLarge: boolean): RequestHead | null {
    const [method, target, sentScheme, authority, status, protocol] = this.#pseudo;
    if (this.malformed) return null;
    if (tooLarge) return this.#refuse('the header fields are too large', 'headers-too-large');
    if (status !== undefined) return this.#bad('a status in a request');
    if (method === undefined || !isToken(method)) return this.#bad('no method');
    if (method !== 'CONNECT' && protocol !== undefined) return this.#bad('a protocol without CONNECT');
    if (method === 'CONNECT' && protocol !== WEBSOCKET) {
      return this.#refuse(protocol === undefined ? 'CONNECT' : 'CONNECT to be something else', 'not-implemented');
    }
    if (sentScheme === undefined || target === undefined) return this.#bad('no scheme or no path');
    if (sentScheme !== 'http' && sentScheme !== 'https') return this.#refuse('a scheme other than http');
    const host = this.#authority(authority);
    if (host === null) return null;
    if (!this.#isTarget(target, method)) return null;
    if (this.#expect !== '' && this.#expect !== '100-continue')
      return this.#refuse('an expectation other than 100-continue', 'expectation-failed');
    if (endStream && this.#contentLength > 0) return this.#bad('a content-length and no body');
    if (this.#cookie !== '') this.#headers.add('cookie', this.#cookie);
    if (protocol !== undefined) {
      if (endStream || this.#contentLength >= 0) return this.#bad('a WebSocket with a body');
      if (target === '*') return this.#bad('a path that is none');
    }
    const bodyLength = endStream || protocol !== undefined ? 0 : this.#contentLength;
    return {
      // What a client of HTTP/1.1 would have asked for.
      method: protocol === undefined ? method : 'GET',
      target,
      authority: host,
      scheme,
      version: 20,
      headers: this.#headers,
      bodyLength,
      upgrade: protocol ?? '',
      expectContinue: this.#expect !== '' && bodyLength !== 0,
    };
  }

  /** Null: see `detail`. `method` is the request's. */
  response(method: string, endStream: boolean, tooLarge: boolean): ResponseHead | null {
    const [asked, target, scheme, authority, text, protocol] = this.#pseudo;
    if (this.malformed) return null;
    if (tooLarge) return this.#bad('the header fields are too large');
    if ([asked, target, scheme, authority, protocol].some((value) => value !== undefined))
      return this.#bad('pseudo-header fields of a request');
    const status = text !== undefined && text.length === 3 ? decimal(text) : -1;
    if (!(status >= 100 && status <= 599) || status === 101) return this.#bad('the status is not one');
    if (status < 200 && endStream) return this.#bad('an end without an answer');
    const length = this.#contentLength;
    if (this.#cookie !== '') this.#headers.add('cookie', this.#cookie);
    const declares = method === 'HEAD' || status === 304;
    const bodiless = declares || status === 204 || status < 200;
    if (endStream && !bodiless && length > 0) return this.#bad('a content-length and no body');
    return {
      status,
      reason: reasonOf(status),
      headers: this.#headers,
      bodyLength: bodiless || endStream ? 0 : length,
      declaredLength: declares ? length : -1,
    };
  }

  /** Null: see `detail`. Fields that may not be trailers are dropped. */
  trailers(tooLarge: boolean): HeaderList | null {
    if (this.malformed) return null;
    if (tooLarge) return this.#bad('the trailer fields are too large');
    if (this.#pseudo.some((value) => value !== undefined)) return this.#bad('pseudo-header fields in trailers');
    if (this.#contentLength >= 0) return this.#bad('framing in trailers');
    const kept = new HeaderList();
    const { fields } = this.#headers;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      if (mayTrail(name)) kept.add(name, fields[i + 1] as string);
    }
    return kept;
  }

  #takePseudo(name: string, value: string): void {
    const at = PSEUDO_NAMES.indexOf(name);
    if (at < 0) return this.#spoil('a pseudo-header field that is none');
    if (this.#pseudo[at] !== undefined) return this.#spoil('a pseudo-header field twice');
    if (this.#others) return this.#spoil('a pseudo-header field after others');
    this.#pseudo[at] = value;
  }

  /** `:authority`, else Host, which must not say anything else (RFC 9113 §8.3.1). */
  #authority(authority: string | undefined): string | null {
    const host = this.#host;
    if (authority !== undefined && host !== null && host !== authority && !sameHost(host, authority))
      return this.#refuse('an authority and another host');
    const either = authority ?? host;
    if (either === null) return this.#refuse('no authority');
    return isAuthority(either) ? either : this.#refuse('a malformed authority');
  }

  #isTarget(target: string, method: string): boolean {
    if (target.length > this.#limits.pathBytes) return this.#refuse('the path is too long', 'uri-too-long') !== null;
    if (target === '*') return method === 'OPTIONS' || this.#bad('`*` is for OPTIONS') !== null;
    if (target.charCodeAt(0) !== 47) return this.#bad('a path that is none') !== null;
    for (let i = 0; i < target.length; i++) {
      if (TARGET[target.charCodeAt(i)] !== 1) return this.#bad('a path that is none') !== null;
    }
    return true;
  }

  #spoil(detail: string): void {
    if (!this.malformed) this.detail = detail;
    this.malformed = true;
  }

  #bad(detail: string): null {
    this.#spoil(detail);
    return null;
  }

  #refuse(detail: string, code: ErrorCode = 'bad-request'): null {
    this.code = code;
    this.detail = detail;
    return null;
  }
}

function sameHost(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

const PSEUDO_NAMES: readonly string[] = [':method', ':path', ':scheme', ':authority', ':status', ':protocol'];

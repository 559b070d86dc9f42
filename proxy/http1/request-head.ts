// A request head from its text: request line (RFC 9112 §3), Host, framing, expectations, upgrade.
import type { ErrorCode } from '../../core/kit/error-table.ts';
import type { RequestHead } from '../exchange.ts';
import { isAuthority } from '../kit/authority.ts';
import { CR, SP, TARGET, TOKEN } from '../kit/characters.ts';
import type { FieldParser } from './fields.ts';
import type { Http1Limits } from './limits.ts';

/** One per connection. */
export class RequestHeadParser {
  code: ErrorCode = 'bad-request';
  detail = '';

  readonly #fields: FieldParser;
  readonly #limits: Http1Limits;
  readonly #scheme: 'http' | 'https';
  readonly #connect: boolean;
  #method = '';
  #target = '';
  #version = 11;
  /** Authority of absolute-form, '' for origin-form. */
  #authority = '';

  /** `connect`: CONNECT is taken (RFC 9110 §9.3.6). */
  constructor(fields: FieldParser, limits: Http1Limits, scheme: 'http' | 'https', connect = false) {
    this.#fields = fields;
    this.#limits = limits;
    this.#scheme = scheme;
    this.#connect = connect;
  }

  /** The client wants the connection closed after this exchange. */
  get close(): boolean {
    return this.#fields.close;
  }

  /** Lets go of the last head's strings. */
  forget(): void {
    this.#method = '';
    this.#target = '';
    this.#authority = '';
    this.#fields.forget();
  }

  /** `text` up to `end` is the head without its empty line. Null: see `code` and `detail`. */
  parse(text: string, end: number): RequestHead | null {
    const fields = this.#fields;
    const afterLine = this.#line(text);
    if (afterLine < 0) return null;
    if (!fields.parse(text, afterLine, end)) return this.#refuse(fields.detail, fields.code);
    const authority = this.#checkedAuthority();
    if (authority === null) return null;
    if (fields.chunked && this.#version === 10) return this.#refuse('Transfer-Encoding in HTTP/1.0');
    const expectContinue = this.#expectation();
    if (expectContinue === null) return null;
    const bodyLength = fields.chunked ? -1 : Math.max(fields.contentLength, 0);
    // What follows the head is the tunnel's: two readers must not see it begin at two places.
    if (this.#method === 'CONNECT' && bodyLength !== 0) return this.#refuse('CONNECT with a body');
    return {
      method: this.#method,
      target: this.#target,
      authority,
      scheme: this.#scheme,
      version: this.#version,
      headers: fields.headers,
      bodyLength,
      // A body before the switch would leave open where the other protocol begins.
      upgrade: fields.connectionUpgrade && this.#version === 11 && bodyLength === 0 ? fields.upgrade : '',
      expectContinue: expectContinue && bodyLength !== 0,
    };
  }

  /** Method, target and version; the index after the line, or -1. */
  #line(text: string): number {
    let at = 0;
    while (TOKEN[text.charCodeAt(at)] === 1) at++;
    if (at === 0 || text.charCodeAt(at) !== SP) return this.#no('the method is not a token');
    this.#method = text.slice(0, at);
    const targetStart = ++at;
    while (TARGET[text.charCodeAt(at)] === 1) at++;
    if (at === targetStart || text.charCodeAt(at) !== SP) return this.#no('the request target is not one');
    const target = text.slice(targetStart, at);
    at++;
    if (text.startsWith('HTTP/1.1\r\n', at)) this.#version = 11;
    else if (text.startsWith('HTTP/1.0\r\n', at)) this.#version = 10;
    else return this.#badVersion(text, at);
    at += 8;
    if (at > this.#limits.lineBytes) return this.#no('the first line is too long', 'uri-too-long');
    return this.#takeTarget(target) ? at + 2 : -1;
  }

  #badVersion(text: string, at: number): -1 {
    const known = /^HTTP\/\d\.\d$/.test(text.slice(at, text.indexOf(String.fromCharCode(CR), at)));
    return known
      ? this.#no('a version other than 1.0 and 1.1', 'version-not-supported')
      : this.#no('the request line does not end in a version');
  }

  /** RFC 9112 §3.2: origin-form, absolute-form reduced to it, `*` for OPTIONS, authority-form for CONNECT. */
  #takeTarget(target: string): boolean {
    this.#authority = '';
    this.#target = target;
    if (this.#method === 'CONNECT') return this.#takeAuthority(target);
    if (target.charCodeAt(0) === 47) return true;
    if (target === '*') return this.#method === 'OPTIONS' || this.#bad('`*` is for OPTIONS');
    const scheme = /^https?:\/\//i.exec(target);
    if (scheme === null) return this.#bad('a request target that is neither path nor http URI');
    const start = scheme[0].length;
    const path = target.slice(start).search(/[/?]/);
    this.#authority = path < 0 ? target.slice(start) : target.slice(start, start + path);
    const rest = path < 0 ? '' : target.slice(start + path);
    if (!isAuthority(this.#authority)) return this.#bad('a request target with a malformed authority');
    if (rest === '' && this.#method === 'OPTIONS') this.#target = '*';
    else this.#target = rest.startsWith('/') ? rest : `/${rest}`;
    return true;
  }

  /** RFC 9112 §3.2.3: always with a port. */
  #takeAuthority(target: string): boolean {
    if (!this.#connect) return this.#bad('CONNECT', 'not-implemented');
    this.#authority = target;
    return (isAuthority(target) && /[^:]:\d+$/.test(target)) || this.#bad('CONNECT to what is not host:port');
  }

  /** Absolute-form wins over Host (RFC 9112 §3.2.2); HTTP/1.0 need not send one. */
  #checkedAuthority(): string | null {
    const { host } = this.#fields;
    if (host === null) {
      return this.#version === 10 ? this.#authority : this.#refuse('there is no Host');
    }
    if (!isAuthority(host)) return this.#refuse('a malformed Host');
    return this.#authority === '' ? host : this.#authority;
  }

  /** RFC 9110 §10.1.1: HTTP/1.0 has no expectations. */
  #expectation(): boolean | null {
    const { expect } = this.#fields;
    if (expect === '' || this.#version === 10) return false;
    return expect === '100-continue'
      ? true
      : this.#refuse('an expectation other than 100-continue', 'expectation-failed');
  }

  #no(detail: string, code: ErrorCode = 'bad-request'): -1 {
    this.#refuse(detail, code);
    return -1;
  }

  #bad(detail: string, code: ErrorCode = 'bad-request'): false {
    this.#refuse(detail, code);
    return false;
  }

  #refuse(detail: string, code: ErrorCode = 'bad-request'): null {
    this.code = code;
    this.detail = detail;
    return null;
  }
}

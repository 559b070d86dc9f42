// How a client begins that does not speak HTTP/1.
import type { HeadReader } from './head-reader.ts';

/** What looks like a head; eight bytes of the preface come after it. */
const PREFACE = 'PRI * HTTP/2.0\r\n';
const KNOWN_METHOD = /^(?:GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS|TRACE|CONNECT) /;

/**
 * The preface, or what nobody begins with who speaks HTTP/1: without a version and a method that is known. It is for
 * the codec of HTTP/2 to refuse then (RFC 9113 §3.4).
 */
export function isForHttp2({ text, end }: HeadReader): boolean {
  if (text.startsWith(PREFACE)) return end === PREFACE.length;
  const line = text.slice(0, text.indexOf('\r\n'));
  return !/HTTP\//i.test(line) && !KNOWN_METHOD.test(line);
}

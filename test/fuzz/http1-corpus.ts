// What the HTTP/1.1 targets begin with: messages as they should be, the known tricks, and the words of the grammar.
import { HOSTILE_BODIES, HOSTILE_HEADS } from '../unit/proxy/http1/hostile-requests.ts';
import { mutate, pick } from './mutate.ts';
import type { Random } from './target.ts';

const LONGEST = 2_000;

const GOOD_REQUESTS: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /a/b?c=d HTTP/1.1\r\nHost: h.test:80\r\nX-A: 1\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5;a=b\r\nhello\r\n1\r\nx\r\n0\r\nX-T: 1\r\n\r\n',
  'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET http://h.test/a HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, x-a\r\nX-A: 1\r\n\r\n',
  'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nX_B: 1\r\n\r\n',
];

const GOOD_ANSWERS: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-A: 1\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nup to the end',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 404\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nAccept: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 301 Moved\r\nLocation: /b\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n',
];

const KNOWN = [...HOSTILE_HEADS, ...HOSTILE_BODIES].map(([, bytes]) => bytes).filter(({ length }) => length < LONGEST);

const WORDS: readonly string[] = [
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    '0\r\n\r\n',
    '5\r\nhello\r\n',
    ' ',
    '\t',
    ':',
    ', ',
    ';',
    '"',
    ' HTTP/1.1',
    ' HTTP/1.0',
  ],
  ...['Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'content-length:5\r\n', 'Transfer-Encoding: chunked\r\n'],
  ...[
    'transfer-encoding:chunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'chunked',
  ],
  ...[
    'Host: a\r\n',
    'Connection: close\r\n',
    'Connection: x-a\r\n',
    'X-A: 1\r\n',
    'Expect: 100-continue\r\n',
    'TE: trailers\r\n',
  ],
  ...[
    'Upgrade: h2c\r\n',
    'Upgrade: websocket\r\nConnection: upgrade\r\n',
    'Trailer: X-A\r\n',
    ' folded\r\n',
    'Keep-Alive: timeout=1\r\n',
  ],
  ...[
    '0',
    '1',
    '5',
    'a',
    'ff',
    '00000000000',
    '0x',
    '+',
    '-',
    '100',
    '101',
    '200',
    '204',
    '304',
    'GET ',
    'POST ',
    'HEAD ',
  ],
  ...['/', '*', 'http://h.test', '@', '[::1]', ':80', '%2f', '\xc4', '\xb5', '\0'],
];

/** One to three requests, mostly bent. */
export function makeRequests(random: Random): Buffer {
  let text = '';
  for (let left = 1 + Math.floor(random() ** 2 * 3); left > 0; left--) {
    text += pick(random, random() < 0.6 ? GOOD_REQUESTS : KNOWN);
  }
  return Buffer.from(mutate(random, text, WORDS), 'latin1');
}

/** An answer, and now and then something behind it. */
export function makeAnswer(random: Random): Buffer {
  let text = pick(random, GOOD_ANSWERS);
  if (random() < 0.2) text += pick(random, GOOD_ANSWERS);
  if (random() < 0.2) text = text.replace(/\r\n\r\n[^]*$/, pick(random, KNOWN).replace(/^[^\r]*/, ''));
  return Buffer.from(mutate(random, text, WORDS), 'latin1');
}

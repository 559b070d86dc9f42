// Arbitrary HTTP/1.1 byte streams: mostly well formed, with the oddities that parsers disagree about,
// and now and then a byte that does not belong there.
import fc from 'fast-check';

const eol = fc.oneof(
  { weight: 60, arbitrary: fc.constant('\r\n') },
  fc.constantFrom('\n', '\r', '\r\r\n', '\n\r', ' \r\n'),
);
const ows = fc.oneof(
  { weight: 10, arbitrary: fc.constant(' ') },
  fc.constantFrom('', '  ', '\t', ' \t ', '\x0b', '\xa0'),
);
const colon = fc.oneof({ weight: 40, arbitrary: fc.constant(':') }, fc.constantFrom(' :', '::', '\t:', ''));
const odd = fc.constantFrom(
  '\0',
  '\x01',
  '\x7f',
  '\x80',
  '\xff',
  ' ',
  '\t',
  '\r',
  '\n',
  ':',
  ',',
  ';',
  '"',
  '#',
  '\\',
  '%',
  '@',
  '/',
  '\x0b',
);

const method = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH') },
  fc.constantFrom('get', 'M-SEARCH', 'CONNECT', 'PRI', 'G T', '', 'GE\tT', 'SOURCE', 'GET:'),
);
const target = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('/', '/a', '/a/b?c=d', '/%2e%2e/', '/a;b', '//a', '/{x}|y') },
  fc.constantFrom(
    '*',
    'http://h.test/a',
    'http://h.test',
    'https://h.test:1?q',
    'http://',
    'a',
    '',
    '/a b',
    '/a#b',
    '/\xe4',
    '/\\',
    'h:80',
    'ftp://h/',
  ),
);
const version = fc.oneof(
  { weight: 30, arbitrary: fc.constant('HTTP/1.1') },
  fc.constantFrom(
    'HTTP/1.0',
    'HTTP/1.2',
    'HTTP/2.0',
    'HTTP/0.9',
    'http/1.1',
    'HTTP/1.',
    'HTTP/1.10',
    'HTTP/11',
    'HTTP/1.1 ',
    '',
  ),
);
const separator = fc.oneof({ weight: 40, arbitrary: fc.constant(' ') }, fc.constantFrom('  ', '\t', '', ' \t'));

const host = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom('a', 'h.test:80', '[::1]:1') },
  fc.constantFrom('', 'a b', 'a@b', 'a:b', 'a,b'),
);
const length = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('0', '1', '5', '10', '0005') },
  fc.constantFrom('', '-1', '+5', '5,5', '5, 5', '0x5', '5 5', '18446744073709551621', '9007199254740993', '5a'),
);
const coding = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('chunked', 'Chunked') },
  fc.constantFrom(
    'gzip, chunked',
    'chunked, gzip',
    'identity',
    'chunked, chunked',
    '',
    'xchunked',
    'chunked;a',
    'chunked,',
    ',chunked',
    '"chunked"',
    'chunk\ted',
  ),
);
const named = (name: string, value: fc.Arbitrary<string>) => fc.tuple(fc.constantFrom(name, name.toLowerCase()), value);
const field: fc.Arbitrary<[string, string]> = fc.oneof(
  { weight: 4, arbitrary: named('Content-Length', length) },
  { weight: 4, arbitrary: named('Transfer-Encoding', coding) },
  named('Host', host),
  named(
    'Connection',
    fc.constantFrom(
      'close',
      'keep-alive',
      'x-a',
      'close, x-a',
      'te, close',
      'keep-alive, ',
      'host',
      'content-length',
      'a b',
    ),
  ),
  named('Expect', fc.constantFrom('100-continue', 'x')),
  named('Upgrade', fc.constantFrom('websocket', 'h2c')),
  named('TE', fc.constantFrom('trailers', 'gzip')),
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.constantFrom('X-A', 'x-a', 'X_B', 'Cookie', 'Accept', 'A', '!#$'),
      fc.constantFrom('', 'b', 'b  c', '\xe4', '"q"', 'a,b', ' b ', 'b\t'),
    ),
  },
  fc.tuple(fc.constantFrom('', 'X A', 'X\xe4', 'X:', ' X', '\tX', 'X\0', '(x)'), fc.constant('b')),
);
const fieldLine = fc
  .tuple(field, colon, ows, ows, eol)
  .map(
    ([[name, value], sep, before, after, end]) => `${name}${sep}${before}${value}${after === ' ' ? '' : after}${end}`,
  );
const fold = fc.oneof(
  { weight: 60, arbitrary: fc.constant('') },
  fc.constantFrom(' folded\r\n', '\tfolded\r\n', ' \r\n'),
);
const fieldLines = (max: number) =>
  fc
    .array(
      fc.tuple(fieldLine, fold).map((parts) => parts.join('')),
      { maxLength: max },
    )
    .map((lines) => lines.join(''));

const chunkSize = fc.oneof(
  { weight: 20, arbitrary: fc.constant(null) },
  fc.constantFrom('0x5', '-1', '+5', ' 5', '5 ', '', 'g', '5_0', '100000000000000000', '05', '5\t'),
);
const extension = fc.oneof(
  { weight: 16, arbitrary: fc.constant('') },
  fc.constantFrom(
    ';a',
    ';a=b',
    ';a="b c"',
    ';',
    ';=',
    '; a',
    ';a =b',
    ';a= b',
    ';a="b',
    ';a;b',
    ';a\0',
    ';a="\\""',
    ' ;a',
    ';a=b\r',
    ';\xe4',
    ';a="\xe4"',
  ),
);
const data = fc.constantFrom('a', 'hello', 'hello world', 'x\r\ny', 'GET / HTTP/1.1\r\n\r\n');
const chunk = fc
  .tuple(data, chunkSize, extension, eol, eol)
  .map(([text, size, ext, first, second]) => `${size ?? text.length.toString(16)}${ext}${first}${text}${second}`);
const chunked = fc
  .tuple(
    fc.array(chunk, { maxLength: 3 }),
    fc.constantFrom('0', '0', '0', '00', '0;a', '', '-0'),
    eol,
    fieldLines(2),
    eol,
  )
  .map(([chunks, last, first, trailers, end]) => `${chunks.join('')}${last}${first}${trailers}${end}`);
const body = fc.oneof(fc.constant(''), fc.constantFrom('hello', 'a', '0123456789', '\r\n'), chunked, chunked);

const framing = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 4, arbitrary: fc.constant('Transfer-Encoding: chunked\r\n') },
  { weight: 2, arbitrary: fc.constantFrom('Content-Length: 5\r\n', 'Content-Length: 1\r\n') },
);

const requestMessage = fc
  .tuple(
    method,
    separator,
    target,
    separator,
    version,
    eol,
    fc.oneof({ weight: 12, arbitrary: fc.constant('Host: a\r\n') }, fc.constant('')),
    framing,
    fieldLines(3),
    eol,
    body,
  )
  .map((parts) => parts.join(''));

const status = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom('200 OK', '204 ', '304 ', '404 Not Found', '200') },
  fc.constantFrom('100 ', '101 ', '103 ', '20', '2000', '600 x', '0', 'abc', '200  OK', '200\t', ' 200'),
);
const responseMessage = fc
  .tuple(version, separator, status, eol, framing, fieldLines(3), eol, body)
  .map((parts) => parts.join(''));

/** Inserts, drops or doubles single characters, seldom. */
function mutated(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const mutation = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('insert', 'drop', 'replace', 'double'),
    character: odd,
  });
  return fc
    .tuple(text, fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(mutation, { maxLength: 2 })))
    .map(([source, mutations]) => {
      let result = source;
      for (const { at, kind, character } of mutations) {
        const index = result.length === 0 ? 0 : at % result.length;
        const here = result[index] ?? '';
        const middle =
          kind === 'insert' ? character + here : kind === 'drop' ? '' : kind === 'double' ? here + here : character;
        result = result.slice(0, index) + middle + result.slice(index + 1);
      }
      return result;
    });
}

/** One to three requests, one after the other; latin1. */
export const requestStream: fc.Arbitrary<string> = mutated(
  fc.array(requestMessage, { minLength: 1, maxLength: 3 }).map((all) => all.join('')),
);

/** An answer, perhaps with bytes after it; latin1. */
export const responseStream: fc.Arbitrary<string> = mutated(
  fc.array(responseMessage, { minLength: 1, maxLength: 2 }).map((all) => all.join('')),
);

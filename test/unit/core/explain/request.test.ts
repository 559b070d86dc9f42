import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { explainRequest } from '../../../../core/explain/explain.ts';
import { readRequest } from '../../../../core/explain/request.ts';
import { explanationLines } from '../../../../core/explain/request-words.ts';
import { knownOf } from '../../../support/known-config.ts';

const YAMLS = ['edge', 'calls'].map((name) =>
  readFileSync(new URL(`../../../golden/explain/${name}.txt`, import.meta.url), 'utf8'),
);
const KNOWN = YAMLS.map((text) => knownOf(`${text.split('\n----------\n')[0] ?? ''}\n`));

test('a request is method and URL; without a method it is GET', () => {
  const read = readRequest('post  http://Api.Test:81/a?b#c', ['X-A:  1 ', 'x-a: 2']);
  assert.ok(read.ok);
  assert.deepEqual(read.value, {
    method: 'post',
    url: 'http://Api.Test:81/a?b#c',
    scheme: 'http',
    host: 'api.test',
    port: 81,
    authority: 'Api.Test:81',
    target: '/a?b',
    headers: [
      { name: 'x-a', value: '1' },
      { name: 'x-a', value: '2' },
    ],
  });
  const bare = readRequest('https://[::1]', ['Host: other.test']);
  assert.ok(bare.ok);
  const { method, host, port, authority, target } = bare.value;
  assert.deepEqual([method, host, port, authority, target], ['GET', '[::1]', 0, 'other.test', '/']);
  const query = readRequest('http://a?b', []);
  assert.equal(query.ok ? query.value.target : '', '/?b');
});

test('what is no request is said in one line with an example', () => {
  const wrong = [
    '',
    'GET',
    'GET http://',
    'http://u:p@a/',
    'http://a:x/',
    'http://a:99999/',
    'http://a b/',
    'CONNECT a',
  ];
  for (const text of [...wrong, `http://a/${'x'.repeat(20_000)}`]) {
    const read = readRequest(text, []);
    assert.ok(!read.ok, text);
    assert.ok(read.error.message !== '' && !read.error.message.includes('\n'), text);
  }
  for (const field of ['x', ': 1', 'a b: 1', `x: ${'1'.repeat(10_000)}`]) {
    assert.equal(readRequest('http://a/', [field]).ok, false, field);
  }
  assert.equal(
    readRequest(
      'http://a/',
      Array.from({ length: 101 }, () => 'a: b'),
    ).ok,
    false,
  );
});

const words = (...known: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...known) }, fc.string());

test('nothing that is asked makes it throw, whoever asks, and every answer is plain data with a result', () => {
  const url = fc
    .tuple(
      words('http', 'https', 'tcp', 'tls'),
      words('orders', 'api.shop.test', 'localhost', 'db.test', '10.1.2.3', '[::1]', 'pg:5432'),
      words('', ':8080', ':8443', ':80'),
      fc.oneof(
        fc.webPath(),
        fc.string().map((text) => `/${text}`),
      ),
    )
    .map(([scheme, host, port, path]) => `${scheme}://${host}${port}${path}`);
  const asked = fc.tuple(words('GET', 'POST', 'CONNECT', ''), fc.oneof({ weight: 9, arbitrary: url }, fc.string()));
  const fields = fc.array(words('host: orders', 'x-beta: 1', 'upgrade: websocket', 'grpc-timeout: 1S'), {
    maxLength: 3,
  });
  const callers = fc.option(words('web', 'orders', 'outside', 'edge-main', 'edge-inner'));
  let answered = 0;
  fc.assert(
    fc.property(
      asked,
      fields,
      callers,
      fc.constantFrom(...KNOWN),
      fc.boolean(),
      ([method, to], more, from, known, live) => {
        const request = readRequest(`${method} ${to}`, more);
        if (!request.ok) return;
        const explained = explainRequest(live ? { ...known, instances: () => [] } : known, request.value, from);
        if (!explained.ok) return;
        answered += 1;
        const lines = explanationLines(explained.value);
        assert.match(lines.at(-1) ?? '', /^result: ./);
        for (const line of lines) assert.ok(!/\p{Cc}/u.test(line), JSON.stringify(line));
        assert.deepEqual(JSON.parse(JSON.stringify(explained.value)), explained.value);
        const { targets, refused } = explained.value;
        assert.ok(refused !== null || targets.some(({ share }) => share > 0));
      },
    ),
    { numRuns: 1_500 },
  );
  assert.ok(answered > 300, String(answered));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  composeRequestFilters,
  edgeRequestFilter,
  meshResponseFilter,
  viaFilter,
} from '../../../../proxy/filter/forwarded.ts';
import type { ForwardedFields } from '../../../../core/model/listener.ts';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { testConnection, testHead } from '../../../support/exchange-fakes.ts';

test('Via is appended, with the version that the client spoke', () => {
  const head = testHead({ via: '1.1 cdn' });
  viaFilter('edge-main')(head, testConnection());
  viaFilter('orders')({ ...head, version: 10 }, testConnection());
  viaFilter('payments')({ ...head, version: 20 }, testConnection());
  assert.deepEqual(head.headers.getAll('via'), ['1.1 cdn', '1.1 edge-main', '1.0 orders', '2 payments']);
});

test('an edge takes out what only Weft may say, in any case, and says what it saw itself', () => {
  const head = testHead({
    'X-Weft-Unprocessed': '1',
    'x-ENVOY-attempt-count': '3',
    'X-Forwarded-For': '6.6.6.6',
    X_Forwarded_For: '6.6.6.6',
    'x_weft-unprocessed': '1',
    'x-forwarded-client-cert': 'x',
    forwarded: 'for=6.6.6.6',
    'x-wefty': 'stays',
    'x-forwarded-prefix': 'stays',
    from: 'stays',
  });
  edgeRequestFilter([], 'x-forwarded')(head, testConnection());
  assert.equal(head.headers.get('x-weft-unprocessed'), undefined);
  assert.equal(head.headers.get('x-envoy-attempt-count'), undefined);
  assert.equal(head.headers.get('x-forwarded-client-cert'), undefined);
  assert.equal(head.headers.get('forwarded'), undefined);
  assert.deepEqual(
    head.headers.fields.filter((text) => text.includes('_')),
    [],
  );
  assert.deepEqual(head.headers.getAll('x-forwarded-for'), ['192.0.2.7']);
  assert.equal(head.headers.get('x-forwarded-proto'), 'https');
  assert.equal(head.headers.get('x-forwarded-host'), 'api.shop.test');
  for (const name of ['x-wefty', 'x-forwarded-prefix', 'from']) assert.equal(head.headers.get(name), 'stays', name);
});

const PROXIES = ['192.0.2.0/24', '10.0.0.0/8'];

/** What an edge makes of these fields of a connection from 192.0.2.7. */
function forwarded(fields: Readonly<Record<string, string>>, proxies = PROXIES, kind: ForwardedFields = 'x-forwarded') {
  const head = testHead(fields);
  edgeRequestFilter(proxies, kind)(head, testConnection());
  const names = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'forwarded'];
  return Object.fromEntries(names.flatMap((name) => head.headers.getAll(name).map((value) => [name, value])));
}

const OWN = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.shop.test' };

test('a trusted proxy is believed of its client, and appended to', () => {
  const told = {
    'X-Forwarded-For': '198.51.100.4',
    'X-Forwarded-Proto': 'http',
    'X-Forwarded-Host': 'shop.test:81',
    'X-Forwarded-Port': '81',
  };
  assert.deepEqual(forwarded(told), {
    'x-forwarded-for': '198.51.100.4, 192.0.2.7',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'shop.test:81',
    'x-forwarded-port': '81',
  });
  assert.deepEqual(forwarded(told, ['203.0.113.0/24']), OWN);
  assert.deepEqual(forwarded({}), OWN);
});

for (const [sent, chain] of [
  ['6.6.6.6, 198.51.100.4', '198.51.100.4, 192.0.2.7'],
  ['6.6.6.6, 198.51.100.4, 10.1.1.1', '198.51.100.4, 10.1.1.1, 192.0.2.7'],
  ['10.0.0.1, 10.0.0.2', '10.0.0.1, 10.0.0.2, 192.0.2.7'],
  ['6.6.6.6, unknown', 'unknown, 192.0.2.7'],
  ['6.6.6.6, 198.51.100.4:5000, 10.1.1.1:80', '198.51.100.4:5000, 10.1.1.1:80, 192.0.2.7'],
  ['10.9.9.9, [2001:db8::1]:80', '[2001:db8::1]:80, 192.0.2.7'],
  [',, ,', '192.0.2.7'],
] as const) {
  test(`of what a trusted proxy sends only what trusted hops wrote is kept: ${sent}`, () => {
    assert.equal(forwarded({ 'x-forwarded-for': sent })['x-forwarded-for'], chain);
  });
}

test('what a trusted proxy says and cannot be is not passed on', () => {
  const odd = { 'x-forwarded-proto': 'gopher', 'x-forwarded-host': 'a b', 'x-forwarded-port': '80, 81' };
  assert.deepEqual(forwarded(odd), OWN);
  const head = testHead({ 'x-forwarded-proto': 'http' });
  head.headers.add('X-Forwarded-Proto', 'https');
  edgeRequestFilter(PROXIES, 'x-forwarded')(head, { ...testConnection(), scheme: 'http' });
  assert.deepEqual(head.headers.getAll('x-forwarded-proto'), ['http']);
});

test('Forwarded is written where it is asked for, and believed by the same rule', () => {
  const told = {
    forwarded: 'for=6.6.6.6, for="[2001:db8::1]:80";proto=http, for=10.1.1.1',
    'x-forwarded-for': '6.6.6.6',
  };
  assert.deepEqual(forwarded(told, PROXIES, 'forwarded'), {
    forwarded: 'for="[2001:db8::1]:80";proto=http, for=10.1.1.1, for=192.0.2.7;host=api.shop.test;proto=https',
  });
  assert.deepEqual(forwarded(told, [], 'forwarded'), { forwarded: 'for=192.0.2.7;host=api.shop.test;proto=https' });
  const both = forwarded({ forwarded: 'for="1, 2";by="\\""', 'x-forwarded-for': '198.51.100.4' }, PROXIES, 'both');
  assert.equal(both['forwarded'], 'for="1, 2";by="\\"", for=192.0.2.7;host=api.shop.test;proto=https');
  assert.equal(both['x-forwarded-for'], '198.51.100.4, 192.0.2.7');
});

test('a quote that a Forwarded leaves open swallows nothing', () => {
  const value = forwarded({ forwarded: 'for="6.6.6.6' }, PROXIES, 'forwarded')['forwarded'];
  assert.equal(value, 'for=192.0.2.7;host=api.shop.test;proto=https');
});

test('an IPv6 client and a host with a port are quoted in Forwarded', () => {
  const head = testHead({}, { authority: 'shop.test:81' });
  edgeRequestFilter([], 'forwarded')(head, { ...testConnection(), remoteAddress: '2001:db8::5' });
  assert.equal(head.headers.get('forwarded'), 'for="[2001:db8::5]";host="shop.test:81";proto=https');
});

test('an answer of the mesh loses its x-weft fields and nothing else', () => {
  const headers = new HeaderList();
  for (const name of ['X-Weft-Error', 'x-weft-', 'x-weft', 'x-other', 'x-WEFT-upstream-closed']) headers.add(name, 'v');
  meshResponseFilter({ status: 200, reason: '', headers, bodyLength: 0, declaredLength: -1 });
  assert.deepEqual(headers.fields, ['x-weft', 'v', 'x-other', 'v']);
});

test('composed filters run in their order, whatever their number', () => {
  for (let count = 0; count <= 4; count++) {
    const ran: number[] = [];
    const filters = Array.from({ length: count }, (_, index) => () => void ran.push(index));
    composeRequestFilters(filters)(testHead(), testConnection());
    assert.deepEqual(
      ran,
      Array.from({ length: count }, (_, index) => index),
    );
  }
});

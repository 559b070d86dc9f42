import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  composeRequestFilters,
  edgeRequestFilter,
  meshResponseFilter,
  viaFilter,
} from '../../../../proxy/filter/forwarded.ts';
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
    'x-forwarded-client-cert': 'x',
    forwarded: 'for=6.6.6.6',
    'x-wefty': 'stays',
    'x-forwarded-prefix': 'stays',
    from: 'stays',
  });
  edgeRequestFilter(head, testConnection());
  assert.equal(head.headers.get('x-weft-unprocessed'), undefined);
  assert.equal(head.headers.get('x-envoy-attempt-count'), undefined);
  assert.equal(head.headers.get('x-forwarded-client-cert'), undefined);
  assert.equal(head.headers.get('forwarded'), undefined);
  assert.deepEqual(head.headers.getAll('x-forwarded-for'), ['192.0.2.7']);
  assert.equal(head.headers.get('x-forwarded-proto'), 'https');
  assert.equal(head.headers.get('x-forwarded-host'), 'api.shop.test');
  for (const name of ['x-wefty', 'x-forwarded-prefix', 'from']) assert.equal(head.headers.get(name), 'stays', name);
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostOf, RequestTarget } from '../../../../core/decide/request-target.ts';
import { testHead } from '../../../support/exchange-fakes.ts';

test('a host is lower case, without port and last dot', () => {
  const hosts = {
    'API.shop.test': 'api.shop.test',
    'api.shop.test:8443': 'api.shop.test',
    'api.shop.test.': 'api.shop.test',
    'api.shop.test.:80': 'api.shop.test',
    '127.0.0.1:80': '127.0.0.1',
    '[::1]': '[::1]',
    '[::1]:8080': '[::1]',
    '': '',
  };
  for (const [authority, host] of Object.entries(hosts)) assert.equal(hostOf(authority), host, authority);
});

test('path and query are what is matched, and the head gets the same form', () => {
  const target = new RequestTarget();
  const head = testHead({ 'X-Beta': '1' }, { target: '/a/%7Euser/./b/../c?x=%2F', method: 'PUT' });
  assert.equal(target.read(head), true);
  assert.equal(target.path, '/a/~user/c');
  assert.equal(target.query, 'x=%2F');
  assert.equal(target.method, 'PUT');
  assert.equal(target.header('x-beta'), '1');
  assert.equal(head.target, '/a/~user/c?x=%2F');
});

test('nothing of the request before is left', () => {
  const target = new RequestTarget();
  target.read(testHead({ 'x-beta': '1' }, { target: '/a?q=1', authority: 'a.test' }));
  target.read(testHead({}, { target: '/b', authority: 'b.test' }));
  assert.deepEqual([target.path, target.query, target.host, target.header('x-beta')], ['/b', '', 'b.test', undefined]);
});

test('a path that two readers may take for two resources is refused', () => {
  const target = new RequestTarget();
  for (const path of ['/a%2fb', '/a%00', '/a%zz', '/a\\b', '/..;/a', 'a']) {
    assert.equal(target.read(testHead({}, { target: path })), false, path);
  }
});

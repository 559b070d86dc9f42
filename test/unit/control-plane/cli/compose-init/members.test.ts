import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMembers } from '../../../../../control-plane/cli/compose-init/members.ts';
import { parseConfig } from '../../../../../core/config/parse.ts';

const TEXT = `version: 1
services:
  web: { port: 3000, calls: [legacy] }
  orders: { port: 8080, versions: { v1: {}, v2: {} } }
  legacy: { endpoints: [10.0.0.5:9000] }
edges:
  main: { listeners: [{ port: 8081 }], routes: [{ match: /**, to: web }] }
`;

function members(...words: string[]) {
  const parsed = parseConfig([{ name: 'weft.yaml', text: TEXT }]);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return readMembers(words, parsed.value.mesh);
}

test('services, versions and edges are read', () => {
  assert.deepEqual(members('web-1=web', 'orders-v2-1=orders@v2', 'edge-main=edge:main'), [
    { instance: 'web-1', account: 'web', version: null },
    { instance: 'orders-v2-1', account: 'orders', version: 'v2' },
    { instance: 'edge-main', account: 'edge-main', version: null },
  ]);
});

test('what the configuration does not have is refused, with the nearest name', () => {
  const refused = (word: string, detail: RegExp, hint: RegExp): void => {
    assert.throws(
      () => members(word),
      (error: { code: string; detail: string; hint: string }) =>
        error.code === 'usage' && detail.test(error.detail) && hint.test(error.hint),
      word,
    );
  };
  refused('order-1=order@v1', /no service 'order'/, /did you mean orders\?/);
  refused('orders-1=orders@v3', /no version 'v3'/, /did you mean v[12]\?|known: v1, v2/);
  refused('orders-1=orders', /'orders-1=orders' needs a version/, /known: v1, v2/);
  refused('web-1=web@v1', /no version 'v1'/, /known: none/);
  refused('edge=edge:mian', /no edge 'mian'/, /did you mean main\?/);
  refused('old=legacy', /no service 'legacy'/, /./);
  refused('../web=web', /names no instance/, /orders-1=orders/);
  refused('web', /names no instance/, /orders-1=orders/);
});

test('an instance is named once, and at least one is', () => {
  assert.throws(() => members('web-1=web', 'web-1=web'), { code: 'usage', detail: 'web-1 is named twice' });
  assert.throws(() => members(), { code: 'usage', detail: 'no instance is named' });
});

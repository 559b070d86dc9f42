import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Offers } from '../../../control-plane/offers.ts';
import { Views } from '../../../control-plane/snapshot/views.ts';
import { compileSnapshot, type Snapshot } from '../../../core/compile/snapshot.ts';
import { endpointsFor, viewFor } from '../../../core/compile/view.ts';
import { parseConfig } from '../../../core/config/parse.ts';
import { sha256Hex } from '../../../host/hash.ts';

function snapshotOf(timeout: string, before: Snapshot | null): Snapshot {
  const services = `  web: { port: 80, calls: [orders] }\n  orders: { port: 81, timeout: ${timeout} }\n  carts: { port: 82 }`;
  const parsed = parseConfig([{ name: 'weft.yaml', text: `version: 1\nservices:\n${services}\n` }]);
  assert.ok(parsed.ok);
  const compiled = compileSnapshot(parsed.value.mesh, sha256Hex, before);
  assert.ok(compiled.ok);
  return compiled.value;
}

function world() {
  let snapshot: Snapshot | null = null;
  const cuts: string[] = [];
  const views = new Views({
    cut: (account) => {
      cuts.push(account);
      return snapshot === null ? null : viewFor(snapshot, account, () => []);
    },
    endpoints: (account, services) => {
      cuts.push(`${account}: ${[...services].join(' ')}`);
      return snapshot === null ? [] : endpointsFor(snapshot, account, services, () => []);
    },
  });
  const said: string[] = [];
  const server = {
    offerTo: (accounts: ReadonlySet<string>) => void said.push(`to ${[...accounts].sort().join(' ')}`),
    offerInTurn: () => void said.push('in turn'),
  };
  const offers = new Offers({ views, snapshot: () => snapshot, server: () => server });
  return {
    offers,
    views,
    /** What was offered, once everything of this turn is done. */
    offered: async () => {
      await setImmediate();
      return said.splice(0);
    },
    /** The accounts whose views are made anew by now. */
    cut: () => {
      for (const account of ['web', 'orders', 'carts']) views.of(account);
      return cuts.splice(0);
    },
    configure: (timeout: string) => {
      snapshot = snapshotOf(timeout, snapshot);
      offers.configurationChanged();
      return snapshot.hash;
    },
  };
}

test('an instance that comes or goes concerns those who call it, and nobody else has a view made', async () => {
  const { offers, configure, offered, cut } = world();
  configure('1s');
  assert.deepEqual(
    [await offered(), cut()],
    [
      ['to carts orders web', 'in turn'],
      ['web', 'orders', 'carts'],
    ],
  );
  offers.instanceChanged('orders');
  offers.instanceChanged('orders');
  assert.deepEqual([await offered(), cut()], [['to web'], ['web: orders']]);
  offers.instanceChanged('carts');
  assert.deepEqual([await offered(), cut()], [['to '], []]);
});

test('an edit is offered to those whose view it changes, then to everybody under its name', async () => {
  const { views, configure, offered, cut } = world();
  configure('1s');
  await offered();
  cut();
  const before = views.of('carts')?.resources;
  const hash = configure('2s');
  assert.deepEqual(
    [await offered(), cut()],
    [
      ['to orders web', 'in turn'],
      ['web', 'orders'],
    ],
  );
  assert.deepEqual([views.of('carts')?.snapshot, views.of('web')?.snapshot], [hash, hash]);
  assert.equal(views.of('carts')?.resources, before);
});

test('nothing is offered before the port is open, and nothing after the end', async () => {
  const { offers, configure, offered } = world();
  new Offers({
    views: new Views({ cut: () => null, endpoints: () => [] }),
    snapshot: () => snapshotOf('1s', null),
    server: () => null,
  }).everybody();
  configure('1s');
  offers.close();
  assert.deepEqual(await offered(), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Callee, compileDestinations } from '../../../../core/decide/destination.ts';

const callee = (service: string, port: number, more: Partial<Callee<string>> = {}): Callee<string> => ({
  service,
  port,
  loopback: `127.15.0.${service.length}`,
  addresses: [],
  http: true,
  value: `${service}:${port}`,
  ...more,
});

const at = (port: number, ...hosts: readonly string[]): { host: string; port: number }[] =>
  hosts.map((host) => ({ host, port }));

const OPTIONS = { namespace: 'default', self: 'web' };
const orders = callee('orders', 8080, { addresses: at(8080, '10.0.0.5', 'fd00::5', 'orders.example') });
const ledger = callee('ledger', 9000, { http: false });
const mesh = compileDestinations([orders, ledger, callee('jobless', 0)], OPTIONS);

test('a callee is found under each of its names, with its port or without', () => {
  const written = [
    ...['orders', 'orders:8080', 'ORDERS', 'Orders:8080', 'orders.', 'orders.:8080', 'orders:08080', 'orders:80'],
    ...[
      'orders.default',
      'orders.default.svc:8080',
      'orders.default.svc.cluster.local.:8080',
      '127.15.0.6',
      '127.15.0.6:8080',
    ],
    ...['10.0.0.5:8080', '[fd00::5]:8080', '[FD00:0:0::5]:8080', 'Orders.Example.:8080'],
  ];
  for (const authority of written) assert.equal(mesh.request(authority), 'orders:8080', authority);
  assert.equal(mesh.request('jobless'), 'jobless:0');
});

test('a tunnel names its port, and is the only way to what is no HTTP without one', () => {
  assert.deepEqual(mesh.tunnel('orders:8080'), { found: true, value: 'orders:8080' });
  assert.deepEqual(mesh.tunnel('LEDGER.default.:9000'), { found: true, value: 'ledger:9000' });
  assert.equal(mesh.tunnel('orders').found, false);
  assert.equal(mesh.tunnel('orders:80').found, false);
  assert.equal(mesh.request('ledger'), undefined);
});

/** Everything that means this machine, in each notation that some resolver takes. */
const THIS_MACHINE = [
  ...[
    'localhost',
    'localhost.',
    'LocalHost',
    'x.localhost',
    '127.0.0.1',
    '127.0.0.1.',
    '127.1',
    '127.255.255.254',
    '0',
  ],
  ...[
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '0.0.0.0',
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
  ],
  ...[
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '169.254.169.254',
  ],
  ...['2852039166', '0xa9fea9fe', '[fe80::1]', '[::ffff:169.254.169.254]', '127.15.0.99'],
];

test('this machine is never reached, however it is written, by request or tunnel, on any port', () => {
  for (const host of THIS_MACHINE) {
    for (const port of ['', ':80', ':8080', ':9000', ':15001', ':15006', ':15012', ':15020', ':22']) {
      const authority = `${host}${port}`;
      assert.equal(mesh.request(authority), undefined, authority);
      const answer = mesh.tunnel(authority);
      assert.equal(answer.found, false, authority);
      if (!answer.found) assert.equal(answer.reason, 'this-machine', authority);
    }
  }
});

test('nor by an instance that is said to be there, or a service of that name', () => {
  const local = [
    '127.0.0.1',
    '::1',
    '169.254.1.1',
    '0.0.0.0',
    '::ffff:127.0.0.1',
    'fe80::1',
    '127.1',
    'localhost',
    '2130706433',
  ];
  const mine = compileDestinations(
    [callee('orders', 8080, { addresses: at(8080, ...local) }), callee('localhost', 8080)],
    OPTIONS,
  );
  for (const host of [...THIS_MACHINE, ...local]) {
    assert.equal(mine.request(`${host}:8080`), undefined, host);
    assert.equal(mine.tunnel(`${host}:8080`).found, false, host);
  }
});

test('what is not called is refused with what would change that', () => {
  assert.deepEqual(mesh.why('example.com:443'), {
    reason: 'not-called',
    hint: 'add what `example.com` means to services.web.calls',
  });
  assert.deepEqual(mesh.why('orders:9090'), { reason: 'other-port', hint: '`orders` is called as orders:8080' });
  assert.deepEqual(mesh.why('127.0.0.1:15001'), {
    reason: 'this-machine',
    hint: "`127.0.0.1` is this machine's own; put it into NO_PROXY",
  });
  for (const authority of [
    'orders..:8080',
    'orders@evil',
    'x@orders:8080',
    'orders:8080:1',
    'orders/',
    ' orders',
    'orders,a',
    '10.0.0.6:8080',
    '10.5:8080',
    '10.0.0.5:8081',
  ]) {
    assert.equal(mesh.request(authority), undefined, authority);
    assert.equal(mesh.tunnel(authority).found, false, authority);
  }
});

test('an instance at which two callees are said to be is neither', () => {
  const two = compileDestinations(
    [
      callee('a', 8080, { addresses: at(8080, '10.0.0.9') }),
      callee('b', 8080, { addresses: at(8080, '10.0.0.9') }),
      callee('c', 80, { addresses: at(80, '10.0.0.9') }),
    ],
    OPTIONS,
  );
  assert.equal(two.request('10.0.0.9:8080'), undefined);
  for (const authority of ['10.0.0.9:80', '10.0.0.9']) assert.equal(two.request(authority), 'c:80', authority);
});

test('with several ports a name alone is the first that speaks HTTP, each other one is named', () => {
  const ports = [callee('orders', 5432, { http: false }), callee('orders', 8080), callee('orders', 9090)];
  const several = compileDestinations(ports, OPTIONS);
  assert.equal(several.request('orders'), 'orders:8080');
  assert.equal(several.request('orders:9090'), 'orders:9090');
  assert.deepEqual(several.tunnel('orders:5432'), { found: true, value: 'orders:5432' });
  assert.equal(several.why('orders:1').hint, '`orders` is called as orders:5432 or orders:8080 or orders:9090');
});

test('nothing but a callee is ever found', () => {
  const values = new Set(['orders:8080', 'ledger:9000', 'jobless:0', undefined]);
  const text = fc.oneof(
    fc.string(),
    fc.domain(),
    fc.ipV4Extended(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom(...'orde.s:80[]@%'.split('')) }),
  );
  fc.assert(
    fc.property(text, (authority) => {
      assert.ok(values.has(mesh.request(authority)));
      const answer = mesh.tunnel(authority);
      assert.ok(!answer.found || values.has(answer.value));
    }),
  );
});

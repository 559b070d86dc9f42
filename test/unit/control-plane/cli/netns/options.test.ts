import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendOf, planOf } from '../../../../../control-plane/cli/netns/options.ts';

test('ports and redirects are read in order', () => {
  const flags = { appPort: ['8080', '9090'], redirect: ['127.15.3.7:8080=127.0.0.1:15001'] };
  assert.deepEqual(planOf(flags), {
    appPorts: [8080, 9090],
    redirects: [{ from: { host: '127.15.3.7', port: 8080 }, to: { host: '127.0.0.1', port: 15_001 } }],
  });
});

test('what is no port is refused with an example', () => {
  for (const text of ['', '0', '65536', '080', '8080;', '-1', '80 80']) {
    assert.throws(() => planOf({ appPort: [text], redirect: [] }), {
      code: 'usage',
      detail: `--app-port needs a port, found '${text}'`,
      hint: 'as in 8080',
    });
  }
});

test('a redirect is from a name or another machine to loopback, or it is refused', () => {
  const wrong = [
    '127.15.3.7:8080',
    '127.15.3.7:8080=10.0.0.1:15001',
    '127.15.3.256:8080=127.0.0.1:15001',
    '127.15.3.7:0=127.0.0.1:15001',
    '127.15.3.7:8080=127.0.0.1:70000',
    '127.15.3.7:8080=127.0.0.1:15001=127.0.0.1:1',
    '127.15.3.7:8080=127.0.0.1:15001\n-A INPUT',
    '[::1]:8080=127.0.0.1:15001',
    '[::1]:8080=[::1]:15001',
    '10.0.0.1:8080=[::1]:15001',
    '[fd00::9]:8080=127.0.0.1:15001',
    '0.0.0.0:8080=127.0.0.1:15001',
    '169.254.169.254:80=127.0.0.1:15001',
    '[::ffff:127.0.0.1]:80=[::1]:15001',
    '010.0.0.1:8080=127.0.0.1:15001',
    '10.1:8080=127.0.0.1:15001',
    'db:5432=127.15.3.7:5432',
  ];
  for (const text of wrong) {
    assert.throws(() => planOf({ appPort: [], redirect: [text] }), { code: 'usage' }, text);
  }
});

test('instances of both families are redirected to loopback of theirs', () => {
  const redirect = ['10.0.0.9:5432=127.15.3.7:5432', '[FD00:0::9]:5432=[::1]:20001'];
  assert.deepEqual(planOf({ appPort: [], redirect, proxyUser: '1000', denyEgress: true }), {
    appPorts: [],
    redirects: [
      { from: { host: '10.0.0.9', port: 5432 }, to: { host: '127.15.3.7', port: 5432 } },
      { from: { host: 'fd00:0:0:0:0:0:0:9', port: 5432 }, to: { host: '::1', port: 20_001 } },
    ],
    proxyUser: 1000,
    denyEgress: true,
  });
});

test('the sidecar’s user is a number, and not root; a backend is one of two', () => {
  for (const proxyUser of ['0', 'weft', '-1', '']) {
    assert.throws(() => planOf({ appPort: [], redirect: [], proxyUser }), { code: 'usage' }, proxyUser);
  }
  assert.equal(backendOf({ appPort: [], redirect: [] }), null);
  assert.equal(backendOf({ appPort: [], redirect: [], backend: 'nftables' }), 'nftables');
  assert.throws(() => backendOf({ appPort: [], redirect: [], backend: 'ebpf' }), {
    code: 'usage',
    hint: 'it is iptables or nftables',
  });
});

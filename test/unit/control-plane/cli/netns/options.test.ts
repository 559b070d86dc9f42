import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf } from '../../../../../control-plane/cli/netns/options.ts';

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

test('a redirect is from loopback to loopback, or it is refused', () => {
  const wrong = [
    '127.15.3.7:8080',
    '10.0.0.1:8080=127.0.0.1:15001',
    '127.15.3.7:8080=10.0.0.1:15001',
    '127.15.3.256:8080=127.0.0.1:15001',
    '127.15.3.7:0=127.0.0.1:15001',
    '127.15.3.7:8080=127.0.0.1:70000',
    '127.15.3.7:8080=127.0.0.1:15001=127.0.0.1:1',
    '127.15.3.7:8080=127.0.0.1:15001\n-A INPUT',
    '[::1]:8080=127.0.0.1:15001',
  ];
  for (const text of wrong) {
    assert.throws(() => planOf({ appPort: [], redirect: [text] }), { code: 'usage' }, text);
  }
});

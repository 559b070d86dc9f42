import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatAddress, readAddress, readAddresses, readDuration } from '../../../host/setting-kinds.ts';

describe('the kinds of settings', () => {
  it('read addresses with and without a host, IPv6 in brackets', () => {
    const read = readAddress('0.0.0.0');
    for (const [text, host, port] of [
      ['127.0.0.1:80', '127.0.0.1', 80],
      ['control.shop.test:15012', 'control.shop.test', 15_012],
      ['[::1]:0', '::1', 0],
      [':8080', '0.0.0.0', 8_080],
      ['8080', '0.0.0.0', 8_080],
    ] as const) {
      assert.deepEqual(read(text), { ok: true, value: { host, port } });
    }
    for (const text of ['', 'host', 'host:', 'host:65536', '::1:80', 'a b:80', 'host:80:90', '-1']) {
      assert.equal(read(text).ok, false, text);
    }
  });

  it('read several addresses, separated by commas, none of them wrong', () => {
    const read = readAddresses('127.0.0.1');
    assert.deepEqual(read('a:1, [::1]:2,3'), {
      ok: true,
      value: [
        { host: 'a', port: 1 },
        { host: '::1', port: 2 },
        { host: '127.0.0.1', port: 3 },
      ],
    });
    for (const text of ['', ',', 'a:1,b', 'b,a:1', 'a:1;b:2', Array(17).fill('1').join()]) {
      assert.equal(read(text).ok, false, text);
    }
  });

  it('read durations in their units', () => {
    for (const [text, ms] of [
      ['0', 0],
      ['250ms', 250],
      ['1.5s', 1_500],
      ['2m', 120_000],
      ['1h', 3_600_000],
    ] as const) {
      assert.deepEqual(readDuration(text), { ok: true, value: ms });
    }
    for (const text of ['', 's', '-1s', '1d', '1 s', '1e3', '5', '250'])
      assert.equal(readDuration(text).ok, false, text);
  });

  it('write addresses as they are read', () => {
    for (const text of ['127.0.0.1:80', '[::1]:80']) {
      const address = readAddress('')(text);
      assert(address.ok);
      assert.equal(formatAddress(address.value), text);
    }
  });
});

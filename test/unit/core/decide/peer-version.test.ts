import assert from 'node:assert/strict';
import { test } from 'node:test';
import { versionFlaw } from '../../../../core/decide/peer-version.ts';

test('programs of one major version speak to each other, whatever the minor one', () => {
  for (const peer of ['0.1.0', '0.0.9', '0.2.0', '0.99.7', '0.2.0-rc.1', '0.2.0+build.5']) {
    assert.equal(versionFlaw('0.1.0', peer), null, peer);
  }
});

test('another major version is refused with both versions, and what is none by its form', () => {
  assert.match(versionFlaw('0.1.0', '1.0.0') ?? '', /0\.1\.0 and the proxy of 1\.0\.0: both must be of one major/);
  for (const peer of [
    '',
    'v0.1.0',
    '0.1',
    '0.1.0 ',
    '0.1.0\n',
    '99999999999.0.0',
    `0.1.0-${'x'.repeat(200)}`,
    '0.1.0-\u001b',
  ]) {
    assert.match(versionFlaw('0.1.0', peer) ?? '', /major\.minor\.patch/, JSON.stringify(peer));
  }
});

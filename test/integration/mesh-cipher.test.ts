// What a handshake between sidecars agrees on.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { startCallee } from '../support/mesh-pair.ts';
import { makeTestAuthority } from '../support/test-authority.ts';

test('a mesh leg is TLS 1.3 with AES-128-GCM, whatever the other side would rather have', async (t) => {
  const authority = await makeTestAuthority();
  const payments = await startCallee(t, authority, 9);
  const orders = await authority.svid('orders');
  const socket = connect({
    port: payments.port('inbound'),
    host: '127.0.0.1',
    key: orders.keyPem,
    cert: orders.chainPem,
    ca: orders.bundlePem,
    ciphers: 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256',
    checkServerIdentity: () => undefined,
  });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  assert.equal(socket.getProtocol(), 'TLSv1.3');
  assert.equal(socket.getCipher().name, 'TLS_AES_128_GCM_SHA256');
});

import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { createPlainServer } from '../../../../proxy/accept/acceptor.ts';
import { createProxiedServer } from '../../../../proxy/accept/proxied-server.ts';
import { recordingLog } from '../../../support/recording-log.ts';

test('a connection that was reset before it was accepted is nobody, not somebody who needs no PROXY header', () => {
  const log = recordingLog();
  const create = createProxiedServer({ from: ['127.0.0.0/8'], name: 'edge/main/0', log, inner: createPlainServer });
  const served: Socket[] = [];
  const server = create((socket) => served.push(socket));
  // What Node hands on then: a socket that knows no address of its peer any more.
  const gone = new Socket();
  server.emit('connection', gone);
  assert.equal(served.length, 0);
  assert.ok(gone.destroyed);
  assert.equal(log.lines.length, 0);
});

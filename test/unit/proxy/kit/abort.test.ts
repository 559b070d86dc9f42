import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { abort } from '../../../../proxy/kit/abort.ts';

for (const ended of [false, true]) {
  test(`a socket ${ended ? 'whose end is under way' : 'in use'} is closed by abort`, async (t) => {
    const server = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    t.after(() => server.close());
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const errors: Error[] = [];
    socket.on('error', (error) => errors.push(error));
    await new Promise<void>((done) => socket.on('connect', () => done()));
    const closed = new Promise((done) => socket.on('close', done));
    if (ended) socket.end();
    abort(socket);
    await closed;
    assert.deepEqual(errors, []);
  });
}

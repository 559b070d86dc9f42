import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { awaitPort } from '../../../../../control-plane/cli/up/await-port.ts';
import { PortBook, tryBind } from '../../../../../control-plane/cli/up/ports.ts';
import { seededRandom } from '../../../../../core/kit/random.ts';
import { eventually } from '../../../../support/eventually.ts';

describe('the ports of weft up', () => {
  it('stay the same for a purpose, differ between purposes, and lie below the range of outgoing connections', async () => {
    const book = new PortBook(seededRandom(7));
    const ports = await Promise.all(['a', 'b', 'c'].map((purpose) => book.port(purpose)));
    assert.equal(new Set(ports).size, 3);
    assert.equal(await book.port('b'), ports[1]);
    for (const port of ports) assert(port >= 20_000 && port < 32_768);
  });

  it('skip one that somebody else has', async () => {
    const free = await new PortBook(() => 0.5).port('x');
    const server = createServer().listen(free, '127.0.0.1');
    await once(server, 'listening');
    const values = [0.5, 0.75];
    const other = await new PortBook(() => values.shift() ?? 0.9).port('x');
    assert.notEqual(other, free);
    assert.equal((await tryBind('127.0.0.1', free))?.code, 'address-in-use');
    server.close();
    await once(server, 'close');
    assert.equal(await tryBind('127.0.0.1', free), null);
  });
});

describe('waiting for a port', () => {
  it('ends when something accepts, however late', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    let opened = 0;
    const wait = awaitPort('127.0.0.1', port, () => void (opened += 1));
    const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
    await eventually(() => opened === 1);
    wait.close();
    server.close();
    await once(server, 'close');
    assert.equal(opened, 1);
  });
});

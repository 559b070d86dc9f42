// Apps that close idle connections after a time that they do not tell: no request may be lost to that, whatever its method.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { ask, startRawUpstream } from '../support/http-peers.ts';
import { edgeView, startProxy } from '../support/proxy-harness.ts';

/** Answers every request and closes a connection that has been idle for so long; ms. */
function closingApp(test: TestContext, keepAlive: number, onIdle: () => void): Promise<number> {
  return startRawUpstream(test, (socket) => {
    const close = (): void => {
      onIdle();
      socket.end();
    };
    // From the first answer on: on a busy machine a new connection may well be that old before it is read from.
    let timer: NodeJS.Timeout | undefined;
    let text = '';
    socket.on('close', () => clearTimeout(timer));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let rest = afterRequest(text); rest !== null; rest = afterRequest(text)) {
        text = rest;
        clearTimeout(timer);
        answer(socket);
        timer = setTimeout(close, keepAlive);
      }
    });
  });
}

function answer(socket: Socket): void {
  if (socket.writable) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
}

/** What follows the first whole request; null: there is none. */
function afterRequest(text: string): string | null {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return null;
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
  const end = head + 4 + length;
  return text.length < end ? null : text.slice(end);
}

for (const { keepAlive, clients, rounds } of [
  { keepAlive: 50, clients: 40, rounds: 30 },
  { keepAlive: 1_000, clients: 300, rounds: 3 },
]) {
  test(`no request is lost to an app that closes idle connections after ${keepAlive} ms`, async (t) => {
    let closed = 0;
    const port = await closingApp(t, keepAlive, () => {
      closed += 1;
    });
    const { port: edge } = await startProxy(t, { view: edgeView([port]) });
    // The first close teaches it; before that, nothing can help against one that is so quick, on a machine that stalls.
    assert.equal((await ask(edge(), '/')).status, 200);
    await eventually(() => closed > 0);
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const statuses = new Map<number, number>();
    const client = async (number: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        // All around the moment at which it closes.
        const gap = keepAlive * (0.8 + (0.4 * ((number * 7 + round * 3) % clients)) / clients);
        await new Promise((done) => setTimeout(done, gap));
        const post = number % 3 > 0;
        const { status } = await ask(edge(), '/', { agent, ...(post ? { method: 'POST', body: 'x' } : {}) });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
    assert.deepEqual([...statuses], [[200, clients * rounds]]);
    assert.ok(closed > 0, 'the app closed no connection');
  });
}

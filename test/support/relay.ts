// A connection in the middle of which a test stands: it can be cut, and made to read no more.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface Relay {
  readonly port: number;
  /** Breaks every connection. */
  cut(): void;
  /** Whether anything that the server says is read. */
  stall(stalled: boolean): void;
  /** After the test, if not before. */
  close(): void;
}

/** `target`: the server's port now, for each connection anew. */
export async function startRelay(t: TestContext, target: () => number): Promise<Relay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let stalled = false;
  const server = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port: target() });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('error', () => {});
      from.on('data', (chunk) => void to.write(chunk));
      from.on('close', () => {
        pairs.delete(pair);
        to.destroy();
      });
    }
    if (stalled) upstream.pause();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };
  const close = (): void => {
    server.close();
    cut();
  };
  t.after(close);
  return {
    // It listens on TCP: the address is an object.
    port: (server.address() as AddressInfo).port,
    cut,
    close,
    stall: (next) => {
      stalled = next;
      for (const [, upstream] of pairs) {
        if (stalled) upstream.pause();
        else upstream.resume();
      }
    },
  };
}

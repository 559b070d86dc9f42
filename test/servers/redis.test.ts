// A real Redis behind `protocol: tcp`, spoken to through two sidecars. REDIS_URL says where it is: redis://127.0.0.1:6379.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { configuredMesh } from '../support/configured-mesh.ts';
import { eventually } from '../support/eventually.ts';

const YAML = `version: 1
services:
  kv: { port: 6379, protocol: tcp }
  web: { calls: [kv] }
`;

function redisAddress(): { readonly host: string; readonly port: number } {
  const url = process.env['REDIS_URL'];
  assert.ok(url, 'REDIS_URL is not set: start a Redis and say where it is, as in redis://127.0.0.1:6379');
  const { hostname, port } = new URL(url);
  return { host: hostname, port: port === '' ? 6_379 : Number(port) };
}

/** Just enough of RESP: commands out, whatever comes in as text. */
class Redis {
  readonly socket: Socket;
  #text = '';

  constructor(t: TestContext, port: number) {
    this.socket = connect({ host: '127.0.0.1', port });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text) => (this.#text += String(text)));
    t.after(() => this.socket.destroy());
  }

  send(...words: readonly string[]): void {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    this.socket.write(`*${words.length}\r\n${parts.join('')}`);
  }

  /** Once this has come. */
  async hears(expected: string): Promise<void> {
    await eventually(() => this.#text.startsWith(expected));
    this.#text = this.#text.slice(expected.length);
  }
}

async function start(t: TestContext): Promise<{ readonly port: number; readonly key: string }> {
  const mesh = await configuredMesh(t, YAML);
  await mesh.callee('kv', redisAddress());
  const caller = await mesh.caller('web', ['kv']);
  return { port: caller.port('outbound/kv'), key: `weft-test-${process.pid}-${Date.now()}` };
}

test('commands, a pipeline and a megabyte go to a real Redis and come back', async (t) => {
  const { port, key } = await start(t);
  const redis = new Redis(t, port);
  redis.send('SET', key, 'wool');
  redis.send('GET', key);
  redis.send('APPEND', key, 'x'.repeat(1_048_576));
  redis.send('GET', key);
  redis.send('DEL', key);
  await redis.hears('+OK\r\n$4\r\nwool\r\n:1048580\r\n');
  await redis.hears(`$1048580\r\nwool${'x'.repeat(1_048_576)}\r\n:1\r\n`);
});

test('Redis speaks without being asked: a message for a subscriber, a value for who blocks', async (t) => {
  const { port, key } = await start(t);
  const [listener, blocked, speaker] = [new Redis(t, port), new Redis(t, port), new Redis(t, port)];
  listener.send('SUBSCRIBE', key);
  await listener.hears(`*3\r\n$9\r\nsubscribe\r\n$${key.length}\r\n${key}\r\n:1\r\n`);
  blocked.send('BLPOP', `${key}-list`, '10');
  speaker.send('PUBLISH', key, 'news');
  speaker.send('RPUSH', `${key}-list`, 'yarn');
  await listener.hears(`*3\r\n$7\r\nmessage\r\n$${key.length}\r\n${key}\r\n$4\r\nnews\r\n`);
  await blocked.hears(`*2\r\n$${key.length + 5}\r\n${key}-list\r\n$4\r\nyarn\r\n`);
});

// WebSockets of the `ws` package on HTTP/2 streams of Node (RFC 8441), which neither of the two does by itself.
import assert from 'node:assert/strict';
import type { ClientHttp2Session, ClientHttp2Stream, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

/** What `ws` does with the socket of an upgrade; its types leave it out. */
interface OnStream {
  _isServer: boolean;
  setSocket(stream: Duplex, head: Buffer, options: object): void;
}

function onStream(stream: Duplex, isServer: boolean): WebSocket {
  // `ws` takes a socket, of which a stream has all that is used.
  const socket = new WebSocket(null as unknown as string, undefined, {
    autoPong: true,
    closeTimeout: 10_000,
  } as object);
  const inner = socket as unknown as OnStream;
  inner._isServer = isServer;
  inner.setSocket(stream, Buffer.alloc(0), { maxPayload: 100_000_000, allowSynchronousEvents: true });
  return socket;
}

export interface Http2WebSocket {
  readonly socket: WebSocket;
  readonly stream: ClientHttp2Stream;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Asks for a tunnel; its bytes are the caller's. Rejects where the answer is none of 200. */
export async function openTunnel(
  session: ClientHttp2Session,
  path: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<{ readonly stream: ClientHttp2Stream; readonly fields: Readonly<Record<string, unknown>> }> {
  const stream = session.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':authority': 'localhost',
      ':path': path,
      'sec-websocket-version': '13',
      ...fields,
    },
    { endStream: false },
  );
  const answer = await new Promise<Record<string, unknown>>((done, fail) => {
    stream.once('response', done);
    stream.once('error', fail);
    stream.once('close', () => fail(new Error(`closed with ${stream.rstCode}`)));
  });
  stream.on('error', () => {});
  assert.equal(answer[':status'], 200);
  return { stream, fields: answer };
}

export async function openWebSocket(session: ClientHttp2Session, path = '/socket'): Promise<Http2WebSocket> {
  const { stream, fields } = await openTunnel(session, path);
  return { socket: onStream(stream, false), stream, fields };
}

/** An app's end: sends back what comes. */
export function echoOn(stream: ServerHttp2Stream): WebSocket {
  stream.respond({ ':status': 200 });
  const socket = onStream(stream, true);
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', () => {});
  return socket;
}

export function nextMessage(socket: WebSocket): Promise<Buffer> {
  return new Promise((done, fail) => {
    socket.once('message', (data) => done(data as Buffer));
    socket.once('close', () => fail(new Error('the WebSocket was closed')));
  });
}

// Callers and apps of HTTP/1.1 and HTTP/2 with one face, so that any caller can be tried against any app. What an app
// does stands in the path: /echo, /cut (dies within its answer), /whole (answers when the request has ended).
import { Agent as PlainAgent, createServer, request as plainRequest, type IncomingMessage } from 'node:http';
import { type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Way } from './any-paths.ts';
import { askHttp2, connectHttp2, startHttp2Upstream } from './http2-peers.ts';

export interface AnyAnswer {
  readonly status: number;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, unknown>>;
}

export interface AnyRequest {
  readonly path: '/echo' | '/cut' | '/whole' | '/wait';
  readonly body?: Buffer;
  readonly trailers?: Readonly<Record<string, string>>;
}

export interface AnyCaller {
  /** Rejects where the answer is visibly not whole. */
  ask(request: AnyRequest): Promise<AnyAnswer>;
  /** Sends a head and the beginning of a body, then goes away when told. */
  leave(path: '/wait', until: Promise<void>): Promise<void>;
}

export interface AnyApp {
  readonly port: number;
  readonly protocol: 'http' | 'http2';
  /** Requests that came, and those of them that the caller did not stay for. */
  came(): number;
  abandoned(): number;
  /** Trailers of the newest request. */
  trailers(): Readonly<Record<string, unknown>>;
}

export const TRAILER = 'x-checksum';

export async function http1App(t: TestContext): Promise<AnyApp> {
  const seen = { came: 0, abandoned: 0, trailers: {} as Readonly<Record<string, unknown>> };
  const server = createServer((incoming, response) => {
    seen.came += 1;
    response.on('error', () => {});
    incoming.on('error', () => {});
    response.on('close', () => void (seen.abandoned += response.writableEnded ? 0 : 1));
    if (incoming.url === '/wait') return void incoming.resume();
    if (incoming.url === '/cut') {
      response.writeHead(200, { 'content-length': '1000' });
      return void response.write('only the beginning', () => response.destroy());
    }
    const body: Buffer[] = [];
    const finish = (): void => {
      seen.trailers = incoming.trailers;
      response.addTrailers({ [TRAILER]: 'of-the-answer' });
      response.end();
    };
    response.writeHead(200, { trailer: TRAILER });
    if (incoming.url === '/whole') {
      incoming.on('data', (chunk: Buffer) => body.push(chunk));
      incoming.on('end', () => {
        response.write(Buffer.concat(body));
        finish();
      });
      return;
    }
    incoming.on('end', finish);
    incoming.pipe(response, { end: false });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    protocol: 'http',
    came: () => seen.came,
    abandoned: () => seen.abandoned,
    trailers: () => seen.trailers,
  };
}

export async function http2App(t: TestContext): Promise<AnyApp> {
  const seen = { came: 0, abandoned: 0, trailers: {} as Readonly<Record<string, unknown>> };
  const upstream = await startHttp2Upstream(t, (stream, fields) => {
    seen.came += 1;
    stream.on('aborted', () => void (seen.abandoned += 1));
    stream.on('trailers', (after: IncomingHttpHeaders) => void (seen.trailers = after));
    answerHttp2(stream, String(fields[':path']));
  });
  return {
    port: upstream.port,
    protocol: 'http2',
    came: () => seen.came,
    abandoned: () => seen.abandoned,
    trailers: () => seen.trailers,
  };
}

function answerHttp2(stream: ServerHttp2Stream, path: string): void {
  if (path === '/wait') return void stream.resume();
  if (path === '/cut') {
    stream.respond({ ':status': 200 });
    return void stream.write('only the beginning', () => stream.session?.destroy());
  }
  stream.respond({ ':status': 200 }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ [TRAILER]: 'of-the-answer' }));
  if (path === '/echo') return void stream.pipe(stream);
  const body: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => body.push(chunk));
  stream.on('end', () => stream.end(Buffer.concat(body)));
}

export function http1Caller(t: TestContext, way: Way): Promise<AnyCaller> {
  const secure = way.scheme === 'https';
  const agent = secure
    ? new TlsAgent({ keepAlive: true, rejectUnauthorized: false })
    : new PlainAgent({ keepAlive: true });
  t.after(() => agent.destroy());
  const open = (path: string, body: boolean) =>
    (secure ? tlsRequest : plainRequest)({
      host: '127.0.0.1',
      port: way.port,
      path,
      agent,
      method: body ? 'POST' : 'GET',
      headers: { host: 'localhost', te: 'trailers', ...(body ? { 'transfer-encoding': 'chunked' } : {}) },
    });
  return Promise.resolve({
    ask: ({ path, body, trailers }) =>
      new Promise((done, fail) => {
        const sent = open(path, body !== undefined);
        sent.on('error', fail);
        sent.on('response', (answer: IncomingMessage) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', fail);
          answer.on('end', () =>
            done({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks), trailers: answer.trailers }),
          );
        });
        if (body !== undefined) sent.write(body);
        if (trailers !== undefined) sent.addTrailers(trailers);
        sent.end();
      }),
    leave: async (path, until) => {
      const sent = open(path, true);
      sent.on('error', () => {});
      sent.write('the beginning');
      await until;
      sent.destroy();
    },
  });
}

export async function http2Caller(t: TestContext, way: Way): Promise<AnyCaller> {
  const session = await connectHttp2(t, way.port, way.scheme);
  return {
    ask: async ({ path, body, trailers }) => {
      const method = body === undefined ? 'GET' : 'POST';
      const answer = await askHttp2(session, path, {
        method,
        fields: { te: 'trailers' },
        ...(body === undefined ? {} : { body }),
        ...(trailers === undefined ? {} : { trailers }),
      });
      return { status: answer.status, body: answer.body, trailers: answer.trailers ?? {} };
    },
    leave: async (path, until) => {
      const stream = session.request({ ':method': 'POST', ':path': path });
      stream.on('error', () => {});
      stream.write('the beginning');
      await until;
      stream.close(8);
    },
  };
}

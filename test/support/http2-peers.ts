// Node's HTTP/2 on both ends of a proxy under test, closed after the test.
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type Http2Server,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** `https`: no certificate is checked. */
export async function connectHttp2(
  test: TestContext,
  port: number,
  scheme: 'http' | 'https' = 'http',
): Promise<ClientHttp2Session> {
  // Node counts a body that waits to be sent as memory of the session.
  const session = connect(`${scheme}://localhost:${port}`, { rejectUnauthorized: false, maxSessionMemory: 100 });
  session.on('error', () => {});
  test.after(() => session.destroy());
  await new Promise<void>((done, fail) => {
    session.once('connect', () => done());
    session.once('error', fail);
  });
  return session;
}

export interface Http2Answer {
  readonly status: number;
  readonly fields: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders | null;
}

/** Rejects where the stream is reset. */
export function askHttp2(
  session: ClientHttp2Session,
  path: string,
  options: {
    readonly method?: string;
    readonly fields?: Readonly<Record<string, string | string[]>>;
    readonly body?: Buffer;
    readonly trailers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Http2Answer> {
  const { method = 'GET', fields = {}, body, trailers } = options;
  return new Promise((done, fail) => {
    const stream = session.request(
      { ':method': method, ':path': path, ...fields },
      { endStream: body === undefined && trailers === undefined, waitForTrailers: trailers !== undefined },
    );
    const chunks: Buffer[] = [];
    let head: IncomingHttpHeaders & { ':status'?: number | undefined } = {};
    let after: IncomingHttpHeaders | null = null;
    stream.on('wantTrailers', () => stream.sendTrailers({ ...trailers }));
    stream.on('response', (got) => void (head = got));
    stream.on('trailers', (got) => void (after = got));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', fail);
    stream.on('close', () => {
      if (stream.rstCode !== 0) return fail(new Error(`reset with ${stream.rstCode}`));
      done({ status: Number(head[':status']), fields: head, body: Buffer.concat(chunks), trailers: after });
    });
    if (body !== undefined || trailers !== undefined) stream.end(body);
  });
}

export interface Http2Upstream {
  readonly port: number;
  readonly server: Http2Server;
  sessions(): number;
}

/** Prior knowledge. */
export async function startHttp2Upstream(
  test: TestContext,
  onStream: (stream: ServerHttp2Stream, fields: IncomingHttpHeaders) => void,
  settings: { readonly enableConnectProtocol?: boolean; readonly maxConcurrentStreams?: number } = {},
): Promise<Http2Upstream> {
  const server = createServer({ settings });
  let sessions = 0;
  server.on('session', (session) => {
    sessions += 1;
    session.on('error', () => {});
    test.after(() => session.destroy());
  });
  server.on('stream', (stream, fields) => {
    stream.on('error', () => {});
    onStream(stream, fields);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  test.after(() => void server.close());
  return { port: (server.address() as AddressInfo).port, server, sessions: () => sessions };
}

// Constant traffic through an edge, over every kind of connection, that keeps count of what failed and of who answered.
import { Agent as PlainAgent, request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';

export interface TrafficOptions {
  readonly ports: { readonly tls: number; readonly plain: number };
  readonly ca: Buffer;
  /** Each client asks for them in turn. */
  readonly paths: readonly string[];
  /** Between two requests of a client, ms. */
  readonly pace: number;
}

export interface Traffic {
  readonly answered: number;
  /** What failed, each with when and what. */
  readonly failures: readonly string[];
  /** App → milliseconds (`performance.now`) of its first answer. */
  readonly firstAnswers: ReadonlyMap<string, number>;
  /** Of the slowest answer, ms. */
  readonly slowest: number;
  stop(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly servedBy: string;
  readonly trouble: string;
  readonly body: Buffer;
}

interface Client {
  readonly kind: string;
  send(path: string, body: Buffer | null): Promise<Reply>;
  close(): void;
}

/** None, small, what fits a retry's memory, and what does not. */
const BODIES = [null, Buffer.alloc(17, 'a'), null, Buffer.alloc(20_000, 'b'), null, Buffer.alloc(200_000, 'c')];

export function startTraffic(options: TrafficOptions): Traffic {
  const began = performance.now();
  const failures: string[] = [];
  const firstAnswers = new Map<string, number>();
  const clients = [
    overHttp1(options, 'http/1.1 kept alive', true, false),
    overHttp1(options, 'http/1.1 new connections', false, false),
    overHttp1(options, 'https/1.1 kept alive', true, true),
    overHttp1(options, 'https/1.1 new connections', false, true),
    overHttp2(options, 'http/2 a'),
    overHttp2(options, 'http/2 b'),
  ];
  let [answered, slowest, stopped] = [0, 0, false];
  const one = async (client: Client, path: string, body: Buffer | null): Promise<string | null> => {
    const reply = await client.send(path, body);
    if (reply.status !== 200) return `${reply.status} ${reply.trouble}`;
    if (!reply.body.equals(body ?? Buffer.alloc(0))) return `an echo of ${reply.body.length} bytes`;
    for (const app of reply.servedBy.split(' ')) {
      if (!firstAnswers.has(app)) firstAnswers.set(app, performance.now());
    }
    return null;
  };
  const loop = async (client: Client, offset: number): Promise<void> => {
    for (let n = offset; !stopped; n += 1) {
      const path = options.paths[n % options.paths.length] ?? '/';
      const body = BODIES[(n * 7 + Math.floor(n / 11)) % BODIES.length] ?? null;
      const sent = performance.now();
      const failure = await one(client, path, body).catch(String);
      slowest = Math.max(slowest, performance.now() - sent);
      if (failure === null) answered += 1;
      else {
        const when = `${new Date().toISOString().slice(11)} +${((sent - began) / 1_000).toFixed(2)}s`;
        failures.push(`${when} ${client.kind} ${body === null ? 'GET' : `POST ${body.length}`} ${path}: ${failure}`);
      }
      await delay(options.pace);
    }
    client.close();
  };
  const all = Promise.all(clients.map(loop));
  return {
    get answered() {
      return answered;
    },
    get slowest() {
      return slowest;
    },
    failures,
    firstAnswers,
    stop: async () => {
      stopped = true;
      await all;
    },
  };
}

function overHttp1({ ports, ca }: TrafficOptions, kind: string, keepAlive: boolean, tls: boolean): Client {
  const agent = tls ? new TlsAgent({ keepAlive, ca, servername: 'localhost' }) : new PlainAgent({ keepAlive });
  const send = tls ? tlsRequest : plainRequest;
  const port = tls ? ports.tls : ports.plain;
  return {
    kind,
    send: (path, body) =>
      new Promise((done, fail) => {
        const method = body === null ? 'GET' : 'POST';
        const headers = { host: 'localhost', ...(body === null ? {} : { 'content-length': body.length }) };
        const sent: ClientRequest = send({ host: '127.0.0.1', port, path, method, agent, headers }, (answer) => {
          collect(answer).then((whole) => done(replyOf(answer.statusCode, answer.headers, whole)), fail);
        });
        sent.setTimeout(10_000, () => sent.destroy(new Error('no answer within 10 s')));
        sent.on('error', fail);
        sent.end(body ?? undefined);
      }),
    close: () => agent.destroy(),
  };
}

function overHttp2({ ports, ca }: TrafficOptions, kind: string): Client {
  let session: ClientHttp2Session | null = null;
  const open = (): ClientHttp2Session => {
    const made = connect(`https://localhost:${ports.tls}`, { ca, host: '127.0.0.1' });
    made.on('error', () => {});
    const gone = (): void => void (session = session === made ? null : session);
    made.on('goaway', gone);
    made.on('close', gone);
    return made;
  };
  return {
    kind,
    send: (path, body) =>
      new Promise((done, fail) => {
        session ??= open();
        const stream = session.request(
          { ':path': path, ':method': body === null ? 'GET' : 'POST' },
          { endStream: body === null },
        );
        stream.on('error', fail);
        stream.on('aborted', () => fail(new Error('the stream was reset')));
        stream.setTimeout(10_000, () => stream.destroy(new Error('no answer within 10 s')));
        stream.on('response', (fields) => {
          collect(stream).then((whole) => done(replyOf(Number(fields[':status']), fields, whole)), fail);
        });
        if (body !== null) stream.end(body);
      }),
    close: () => session?.destroy(),
  };
}

async function collect(body: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function replyOf(status: number | undefined, fields: IncomingMessage['headers'], body: Buffer): Reply {
  return {
    status: status ?? 0,
    servedBy: String(fields['x-served-by'] ?? ''),
    trouble: String(fields['x-weft-error'] ?? ''),
    body,
  };
}

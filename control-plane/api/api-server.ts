// The API as servers: HTTP on a Unix socket of its owner, and over mutual TLS for operators from afar. Bounded in
// connections, size and time; a caller without rights is told so before its body is read.
import { constants } from 'node:crypto';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { HostPort } from '../../core/model/mesh.ts';
import { bindError, bindSocket, type RunningServer } from '../../host/admin.ts';
import { callerOf, type Caller } from './caller.ts';
import { changeOperations } from './change-operations.ts';
import { drainOperations } from './drain-operations.ts';
import { answer, find, type Asked } from './dispatch.ts';
import type { ApiFacts } from './facts.ts';
import { OPENAPI_PATH, openApiOf } from './openapi.ts';
import { PROBLEM_STATUS, problem, type Operation, type Outcome } from './operation.ts';
import { ITEMS, readOperations } from './read-operations.ts';
import { RepeatedLog } from '../server/repeated-log.ts';
import { Watches } from './watches.ts';

/** Bytes of a body: a large configuration is some MiB. */
const MOST_BODY = 16 * 1024 * 1024;
const MOST_CONNECTIONS = 128;
/** Bodies that are read or worked on at once. */
const MOST_CHANGES = 4;

const BOUNDS: ServerOptions = {
  keepAliveTimeout: 5_000,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  // How late a time-out may come.
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
};

/** All PEM. */
export interface ApiIdentity {
  readonly keyPem: string;
  readonly chainPem: string;
  /** Roots against which operators are verified. */
  readonly bundlePem: string;
}

export class ApiServer {
  readonly #facts: ApiFacts;
  /** Of refusals, which whoever is refused may repeat. */
  readonly #repeated: RepeatedLog;
  readonly #operations: readonly Operation[];
  readonly #watches: Watches;
  readonly #running: RunningServer[] = [];
  #setIdentity: ((identity: ApiIdentity) => void) | null = null;
  #changing = 0;
  #openApi: string | null = null;

  constructor(facts: ApiFacts) {
    this.#facts = facts;
    this.#repeated = new RepeatedLog(facts.log, facts.now);
    this.#operations = operationsOf(facts);
    this.#watches = new Watches({
      read: (name) => ({ snapshot: facts.snapshots.snapshot?.hash ?? null, items: ITEMS[name](facts) }),
      now: () => performance.now(),
      after: startTimer,
    });
  }

  /** Its owner alone may open it. Returns where it really is. Throws MeshError `address-in-use`. */
  async listenOnSocket(path: string): Promise<string> {
    // Not by import: a module namespace of node:http reads its every getter, and one of them loads undici, 13 MiB.
    const server = process.getBuiltinModule('node:http').createServer(BOUNDS);
    const running = await bindSocket(this.#serve(server), path);
    this.#running.push(running);
    return running.address;
  }

  /** Mutual TLS 1.3. Returns the bound port; 0 is chosen by the system. Throws MeshError `address-in-use`. */
  async listenOnTls({ host, port }: HostPort, identity: ApiIdentity): Promise<number> {
    const server = process.getBuiltinModule('node:https').createServer({
      ...BOUNDS,
      ...contextOf(identity),
      requestCert: true,
      // Who has no right is told why, by `callerOf`.
      rejectUnauthorized: false,
      handshakeTimeout: 5_000,
    });
    this.#serve(server);
    this.#setIdentity = (next) => server.setSecureContext(contextOf(next));
    await new Promise<void>((done, fail) => {
      server.once('error', (cause) => fail(bindError(cause, `${host}:${port}`)));
      server.listen({ host, port }, done);
    });
    // A TCP server's address is one.
    const bound = server.address() as AddressInfo;
    // One that has not finished its handshake is none of HTTP's yet, and would be waited for.
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    const close = () =>
      new Promise<void>((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      });
    this.#running.push({ address: bound.address, port: bound.port, free: () => void server.close(), close });
    return bound.port;
  }

  /** New connections see the new certificate. */
  setIdentity(identity: ApiIdentity): void {
    this.#setIdentity?.(identity);
  }

  async close(): Promise<void> {
    this.#watches.close();
    await Promise.all(this.#running.map((server) => server.close()));
  }

  #serve<T extends Server>(server: T): T {
    server.maxConnections = MOST_CONNECTIONS;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#take(request, response).catch(() => response.destroy());
    });
    return server;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authority, now } = this.#facts;
    const from = request.socket.remoteAddress ?? '';
    const caller = callerOf(request.socket, authority.trustDomain, now());
    if (!caller.ok) {
      this.#repeated.warn(`${from} ${caller.error}`, { from, reason: caller.error }, 'the API refused a caller');
      response.setHeader('connection', 'close');
      return send(request, response, problem('unauthenticated', caller.error, 'see `weft ca issue --operator`'), 200);
    }
    const url = request.url ?? '/';
    if (url === OPENAPI_PATH && request.method === 'GET') return this.#describe(request, response);
    const asked: Asked = {
      ...{ method: request.method ?? '', url, ifMatch: request.headers['if-match'] },
      ...{ contentType: request.headers['content-type'], body: () => readBody(request) },
    };
    const found = find(this.#operations, asked, caller.value);
    if ('ok' in found) {
      if (!found.ok && found.problem.kind === 'forbidden')
        this.#sayForbidden(from, caller.value, found.problem.message);
      return send(request, response, found, 200);
    }
    const { operation, query } = found;
    if (operation.watched !== null && query.get('watch') === 'true' && request.method === 'GET') {
      return this.#watch(operation.watched, request, response, caller.value);
    }
    const outcome =
      operation.body === null
        ? await this.#run(found, asked, caller.value)
        : await this.#change(found, asked, caller.value);
    send(request, response, outcome, operation.status);
  }

  #sayForbidden(from: string, { name }: Caller, reason: string): void {
    this.#repeated.warn(`${name} ${reason}`, { from, who: name, reason }, 'the API refused an operator');
  }

  #run(found: Parameters<typeof answer>[0], asked: Asked, caller: Caller): Promise<Outcome> {
    return answer(found, asked, caller, this.#facts.log);
  }

  async #change(found: Parameters<typeof answer>[0], asked: Asked, caller: Caller): Promise<Outcome> {
    if (this.#changing >= MOST_CHANGES) return problem('busy', 'too many changes at once', 'try again');
    this.#changing++;
    try {
      return await this.#run(found, asked, caller);
    } finally {
      this.#changing--;
    }
  }

  #watch(
    name: Parameters<Watches['open']>[0],
    request: IncomingMessage,
    response: ServerResponse,
    caller: Caller,
  ): void {
    request.resume();
    if (this.#watches.open(name, response, caller.until - this.#facts.now())) return;
    send(request, response, problem('busy', 'too many lists are watched at once', 'try again later'), 200);
  }

  #describe(request: IncomingMessage, response: ServerResponse): void {
    this.#openApi ??= JSON.stringify(openApiOf(this.#operations));
    write(request, response, 200, this.#openApi);
  }
}

function operationsOf(facts: ApiFacts): readonly Operation[] {
  return [...readOperations(facts), ...changeOperations(facts), ...drainOperations(facts)];
}

function startTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

function contextOf({ keyPem, chainPem, bundlePem }: ApiIdentity) {
  return {
    ...{ key: keyPem, cert: chainPem, ca: bundlePem, minVersion: 'TLSv1.3' as const },
    // A resumed session would not be verified again.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

function send(request: IncomingMessage, response: ServerResponse, outcome: Outcome, status: number): void {
  if (!outcome.ok) {
    // RFC 9110 §15.5.6.
    if (outcome.allow !== undefined) response.setHeader('allow', outcome.allow);
    return write(request, response, PROBLEM_STATUS[outcome.problem.kind], JSON.stringify(outcome.problem));
  }
  if (typeof outcome.tag === 'string') response.setHeader('etag', `"${outcome.tag}"`);
  write(request, response, status, JSON.stringify(outcome.value));
}

function write(request: IncomingMessage, response: ServerResponse, status: number, body: string): void {
  const bytes = Buffer.from(`${body}\n`);
  // What was not read is thrown away, within the bounds of the server.
  if (!request.complete) request.resume();
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/** null: it is too long, or broke off; it was read to its end all the same, so that the answer is heard. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= MOST_BODY) chunks.push(chunk);
      else chunks.length = 0;
    }
  } catch {
    return null;
  }
  return size <= MOST_BODY ? Buffer.concat(chunks).toString('utf8') : null;
}

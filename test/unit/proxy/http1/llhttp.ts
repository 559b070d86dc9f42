// What node:http (llhttp) makes of the same bytes, over a connection in memory: the second opinion that
// the differential tests compare the codec with.
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';

export interface NodeMessage {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly rawHeaders: string[];
  body: string;
  rawTrailers: string[];
  complete: boolean;
}

export interface NodeOpinion {
  readonly messages: NodeMessage[];
  refused: boolean;
}

class MemorySocket extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  destroySoon(): void {
    this.destroy();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function collect(incoming: IncomingMessage): NodeMessage {
  const message: NodeMessage = {
    method: incoming.method ?? '',
    url: incoming.url ?? '',
    status: incoming.statusCode ?? 0,
    rawHeaders: incoming.rawHeaders,
    body: '',
    rawTrailers: [],
    complete: false,
  };
  incoming.on('data', (chunk: Buffer) => {
    message.body += chunk.toString('latin1');
  });
  incoming.on('end', () => {
    message.complete = incoming.complete;
    message.rawTrailers = incoming.rawTrailers;
  });
  incoming.on('error', () => {});
  return message;
}

/** Runs requests through one node:http server, many connections side by side; close it in the end. */
export class NodeRequestParser {
  readonly #server: Server;
  readonly #opinions = new WeakMap<object, NodeOpinion>();

  constructor() {
    const options = { maxHeaderSize: 100_000, requireHostHeader: false, keepAliveTimeout: 0, requestTimeout: 0 };
    this.#server = createServer(options, (incoming, response) => this.#take(incoming, response));
    this.#server.maxHeadersCount = 0;
    this.#server.on('checkContinue', (incoming, response) => {
      response.writeContinue();
      this.#take(incoming, response);
    });
    this.#server.on('checkExpectation', (incoming, response) => this.#take(incoming, response));
    this.#server.on('connect', (_incoming, socket) => socket.destroy());
    // Not destroyed here: messages before the bad one have still to be delivered.
    this.#server.on('clientError', (_error, socket) => {
      const opinion = this.#opinions.get(socket);
      if (opinion !== undefined) opinion.refused = true;
    });
  }

  async parse(bytes: Buffer): Promise<NodeOpinion> {
    const opinion: NodeOpinion = { messages: [], refused: false };
    const socket = new MemorySocket();
    this.#opinions.set(socket, opinion);
    socket.on('error', () => {});
    this.#server.emit('connection', socket);
    socket.push(bytes);
    for (let i = 0; i < 4; i++) await turn();
    socket.destroy();
    await turn();
    return opinion;
  }

  close(): void {
    this.#server.close();
  }

  #take(incoming: IncomingMessage, response: ServerResponse): void {
    this.#opinions.get(incoming.socket)?.messages.push(collect(incoming));
    response.end();
  }
}

/** One answer, up to the end of the connection. */
export async function parseNodeResponse(bytes: Buffer, method: string): Promise<NodeOpinion> {
  const opinion: NodeOpinion = { messages: [], refused: false };
  const socket = new MemorySocket();
  const outgoing = request({ method, maxHeaderSize: 100_000, createConnection: () => socket });
  outgoing.maxHeadersCount = 0;
  outgoing.on('response', (incoming) => {
    opinion.messages.push(collect(incoming));
  });
  outgoing.on('upgrade', (_incoming, upgraded) => {
    opinion.refused = true;
    upgraded.destroy();
  });
  outgoing.on('error', () => {
    opinion.refused = true;
  });
  outgoing.end();
  await turn();
  socket.push(bytes);
  for (let i = 0; i < 3; i++) await turn();
  socket.push(null);
  for (let i = 0; i < 3; i++) await turn();
  socket.destroy();
  await turn();
  return opinion;
}

// Open-loop HTTP/1.1: one request at a time on each keep-alive connection, the rest waits in order.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Paced, PacedSpec } from './paced.ts';

const END = Buffer.from('\r\n\r\n');
const OK = Buffer.from('HTTP/1.1 200');

export async function openHttp1(spec: PacedSpec): Promise<Paced> {
  const request = Buffer.from(`GET ${spec.path} HTTP/1.1\r\nHost: ${spec.authority}\r\n\r\n`);
  const waiting: number[] = [];
  const idle: Connection[] = [];
  const all: Connection[] = [];
  const onFree = (connection: Connection): void => {
    const due = waiting.shift();
    if (due === undefined) idle.push(connection);
    else connection.send(due, request);
  };
  for (let i = 0; i < spec.connections; i++) {
    const socket = connect({ host: spec.host, port: spec.port, noDelay: true });
    await once(socket, 'connect');
    const connection = new Connection(socket, spec, onFree);
    all.push(connection);
    idle.push(connection);
  }
  return {
    send(due) {
      const connection = idle.shift();
      if (connection === undefined) waiting.push(due);
      else connection.send(due, request);
    },
    close: () => all.forEach((connection) => connection.close()),
  };
}

class Connection {
  readonly #socket: Socket;
  #due = 0;
  #head: Buffer | null = null;
  #ok = false;
  #bodyLeft = 0;
  #closed = false;

  constructor(socket: Socket, spec: PacedSpec, onFree: (connection: Connection) => void) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      if (!this.#read(chunk)) return;
      spec.onAnswer(this.#due, this.#ok);
      onFree(this);
    });
    const broken = (reason: string): void => {
      if (!this.#closed) spec.onFailure(reason);
      this.#closed = true;
    };
    socket.on('error', (error) => broken(error.message));
    socket.on('close', () => broken('connection closed'));
  }

  send(due: number, request: Buffer): void {
    this.#due = due;
    this.#socket.write(request);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  /** Whether the answer is whole. Only Content-Length is known here; the upstreams send nothing else. */
  #read(received: Buffer): boolean {
    if (this.#bodyLeft > 0) {
      this.#bodyLeft -= received.length;
      return this.#bodyLeft <= 0;
    }
    const chunk = this.#head === null ? received : Buffer.concat([this.#head, received]);
    const end = chunk.indexOf(END);
    this.#head = end < 0 ? chunk : null;
    if (end < 0) return false;
    this.#ok = chunk.subarray(0, OK.length).equals(OK);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(chunk.toString('latin1', 0, end))?.[1] ?? 0);
    this.#bodyLeft = length - (chunk.length - end - END.length);
    return this.#bodyLeft <= 0;
  }
}

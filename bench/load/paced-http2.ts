// Open-loop HTTP/2 (h2c, prior knowledge): streams spread over the connections in turn; answers are not decoded but for
// whether they begin with status 200.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { GRPC_MESSAGE } from '../upstream/answer.ts';
import {
  ACK,
  DATA,
  END_STREAM,
  type Frame,
  frame,
  FrameReader,
  GOAWAY,
  HEADERS,
  opening,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  windowUpdate,
} from '../wire/frames.ts';
import { type Fields, type Repeated, repeated } from '../wire/messages.ts';
import type { Paced, PacedSpec } from './paced.ts';

const UPDATE_AFTER = 1024 * 1024;

export async function openHttp2(spec: PacedSpec): Promise<Paced> {
  const waiting: number[] = [];
  const all: Connection[] = [];
  const onFree = (connection: Connection): void => {
    const due = waiting.shift();
    if (due !== undefined) connection.send(due);
  };
  for (let i = 0; i < spec.connections; i++) {
    const socket = connect({ host: spec.host, port: spec.port, noDelay: true });
    await once(socket, 'connect');
    all.push(new Connection(socket, spec, onFree));
  }
  let turn = 0;
  return {
    send(due) {
      for (let tried = 0; tried < all.length; tried++) {
        const connection = all[turn] as Connection;
        turn = (turn + 1) % all.length;
        if (connection.inFlight < spec.streams) {
          connection.send(due);
          return;
        }
      }
      waiting.push(due);
    },
    close: () => all.forEach((connection) => connection.close()),
  };
}

class Connection {
  readonly #socket: Socket;
  readonly #spec: PacedSpec;
  readonly #onFree: (connection: Connection) => void;
  readonly #message: Repeated;
  readonly #streams = new Map<number, { readonly due: number; ok: boolean }>();
  #next = 1;
  #received = 0;
  #closed = false;

  constructor(socket: Socket, spec: PacedSpec, onFree: (connection: Connection) => void) {
    this.#socket = socket;
    this.#spec = spec;
    this.#onFree = onFree;
    this.#message = repeated({ fields: fieldsOf(spec), body: spec.grpc ? GRPC_MESSAGE : null, trailers: null }, true);
    const reader = new FrameReader((each) => this.#onFrame(each));
    socket.on('data', (chunk) => reader.read(chunk));
    socket.on('error', (error) => this.#broken(error.message));
    socket.on('close', () => this.#broken('connection closed'));
    socket.write(Buffer.concat([PREFACE, opening()]));
  }

  get inFlight(): number {
    return this.#streams.size;
  }

  send(due: number): void {
    const stream = this.#next;
    this.#next += 2;
    this.#streams.set(stream, { due, ok: false });
    this.#socket.write((stream === 1 ? this.#message.first : this.#message.next).on(stream));
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #broken(reason: string): void {
    if (!this.#closed) this.#spec.onFailure(reason);
    this.#closed = true;
  }

  #onFrame({ type, flags, stream, payload }: Frame): void {
    if (type === DATA) {
      this.#received += payload.length;
      if (this.#received >= UPDATE_AFTER) {
        this.#socket.write(windowUpdate(this.#received));
        this.#received = 0;
      }
    } else if (type === SETTINGS && (flags & ACK) === 0) this.#socket.write(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
    else if (type === PING && (flags & ACK) === 0) this.#socket.write(frame(PING, ACK, 0, payload));
    else if (type === GOAWAY) this.#broken('GOAWAY');
    const sent = this.#streams.get(stream);
    if (sent === undefined) return;
    if (type === HEADERS) sent.ok ||= saysOk(flags, payload);
    if (type === RST_STREAM || ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0)) {
      this.#streams.delete(stream);
      this.#spec.onAnswer(sent.due, sent.ok && type !== RST_STREAM);
      this.#onFree(this);
    }
  }
}

/** `:status: 200` is entry 8 of the static table, after updates of the table's size (RFC 7541 §4.2). */
function saysOk(flags: number, payload: Buffer): boolean {
  let at = ((flags & PADDED) === 0 ? 0 : 1) + ((flags & PRIORITY) === 0 ? 0 : 5);
  while (((payload[at] ?? 0) & 0xe0) === 0x20) {
    const more = (payload[at] as number) === 0x3f;
    at++;
    if (more) while (((payload[at++] ?? 0) & 0x80) !== 0);
  }
  return payload[at] === 0x88;
}

function fieldsOf(spec: PacedSpec): Fields {
  const call: Fields = [
    [':method', spec.grpc ? 'POST' : 'GET'],
    [':scheme', 'http'],
    [':path', spec.path],
    [':authority', spec.authority],
  ];
  if (!spec.grpc) return call;
  return [...call, ['content-type', 'application/grpc'], ['te', 'trailers'], ['user-agent', 'bench']];
}

// The HTTP/2 service behind the proxies (h2c, prior knowledge), written for this: it answers every request with the
// same message without decoding it, so that it costs a fraction of any proxy. `plain` answers about 200 bytes of JSON
// with 4 response headers, `headers` with 12, `grpc` a unary answer with trailers.
// Usage: node bench/upstream/http2.ts PORT plain|headers|grpc
import { createServer, type Socket } from 'node:net';
import {
  ACK,
  DATA,
  END_STREAM,
  type Frame,
  frame,
  FrameReader,
  HEADERS,
  keepsTable,
  opening,
  PING,
  PREFACE,
  SETTINGS,
  windowUpdate,
} from '../wire/frames.ts';
import { type Fields, type MessageParts, type Repeated, repeated } from '../wire/messages.ts';
import { GRPC_MESSAGE, MANY_FIELDS, SMALL_BODY } from './answer.ts';

const ANSWERS: Readonly<Record<string, MessageParts>> = {
  plain: plain([
    ['content-type', 'application/json'],
    ['cache-control', 'no-store'],
    ['server', 'bench'],
  ]),
  headers: plain(MANY_FIELDS.map(([name, value]) => [name.toLowerCase(), value])),
  grpc: {
    fields: [
      [':status', '200'],
      ['content-type', 'application/grpc'],
    ],
    body: GRPC_MESSAGE,
    trailers: [
      ['grpc-status', '0'],
      ['grpc-message', ''],
    ],
  },
};
const UPDATE_AFTER = 1024 * 1024;

function plain(fields: Fields): MessageParts {
  const length = ['content-length', String(SMALL_BODY.length)] as const;
  return { fields: [[':status', '200'], ...fields, length], body: Buffer.from(SMALL_BODY), trailers: null };
}

function serve(socket: Socket, answer: MessageParts): void {
  let prefaceLeft = PREFACE.length;
  let received = 0;
  let message: Repeated | null = null;
  let taught = false;
  let out: Buffer[] = [];
  const onFrame = ({ type, flags, stream, payload }: Frame): void => {
    if (type === DATA) {
      received += payload.length;
      if (received >= UPDATE_AFTER) {
        out.push(windowUpdate(received));
        received = 0;
      }
    } else if (type === SETTINGS && (flags & ACK) === 0) {
      message ??= repeated(answer, keepsTable(payload));
      out.push(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
    } else if (type === PING && (flags & ACK) === 0) out.push(frame(PING, ACK, 0, payload));
    if ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0) {
      message ??= repeated(answer, true);
      out.push((taught ? message.next : message.first).on(stream));
      taught = true;
    }
  };
  const reader = new FrameReader(onFrame);
  socket.setNoDelay(true);
  socket.write(opening());
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const skipped = Math.min(prefaceLeft, chunk.length);
    prefaceLeft -= skipped;
    reader.read(chunk.subarray(skipped));
    if (out.length > 0) socket.write(Buffer.concat(out));
    out = [];
  });
}

const [port, kind] = process.argv.slice(2);
const answer = ANSWERS[kind ?? ''];
if (answer === undefined) throw new Error(`the kind of answer is one of ${Object.keys(ANSWERS).join(', ')}`);
createServer((socket) => serve(socket, answer)).listen(Number(port), '127.0.0.1');

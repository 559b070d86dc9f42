// The HTTP/1.1 service behind the proxies, as cheap as Node can be, so that the proxy is what is measured. It answers
// about 200 bytes of JSON with 4 response headers, under /service-58/ with 12; /…/bytes/N gives N bytes; a body is read
// and dropped. Usage: node bench/upstream/http1.ts PORT
import { createServer, type Socket } from 'node:net';
import { MANY_FIELDS, SMALL_BODY } from './answer.ts';

const SMALL = answer(`Content-Type: application/json\r\nCache-Control: no-store\r\nServer: bench\r\n`);
const MANY = answer(MANY_FIELDS.map(([name, value]) => `${name}: ${value}\r\n`).join(''));
const END = Buffer.from('\r\n\r\n');
const SLICE = Buffer.alloc(65_536, 'x');
const POST = 'P'.charCodeAt(0);

function answer(fields: string): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\n${fields}Content-Length: ${SMALL_BODY.length}\r\n\r\n${SMALL_BODY}`);
}

function serve(socket: Socket): void {
  let head: Buffer | null = null;
  let bodyLeft = 0;
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (received) => {
    const chunk = head === null ? received : Buffer.concat([head, received]);
    head = null;
    let at = 0;
    while (at < chunk.length) {
      if (bodyLeft > 0) {
        const part = Math.min(bodyLeft, chunk.length - at);
        bodyLeft -= part;
        at += part;
        if (bodyLeft === 0) socket.write(SMALL);
        continue;
      }
      const end = chunk.indexOf(END, at);
      if (end < 0) {
        head = chunk.subarray(at);
        return;
      }
      if (chunk[at] === POST) bodyLeft = contentLength(chunk.toString('latin1', at, end));
      if (bodyLeft === 0) respond(socket, chunk.toString('latin1', at, Math.min(at + 48, end)));
      at = end + END.length;
    }
  });
}

function contentLength(head: string): number {
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
}

function respond(socket: Socket, start: string): void {
  if (start.includes('/service-58/')) socket.write(MANY);
  else if (start.includes('/bytes/')) sendBytes(socket, Number(/\/bytes\/(\d+)/.exec(start)?.[1] ?? 0));
  else socket.write(SMALL);
}

function sendBytes(socket: Socket, size: number): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${size}\r\n\r\n`);
  let left = size;
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      const part = left >= SLICE.length ? SLICE : SLICE.subarray(0, left);
      left -= part.length;
      if (!socket.write(part)) {
        if (left > 0) socket.once('drain', more);
        return;
      }
    }
  };
  more();
}

createServer(serve).listen(Number(process.argv[2]), '127.0.0.1');

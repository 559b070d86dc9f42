// The service behind the proxies: answers every request with the same small JSON, as cheaply as Node can, so
// that the proxy is what is measured. Usage: node bench/upstream.ts PORT
import { createServer } from 'node:net';

const body = JSON.stringify({
  id: 42,
  sku: 'weft-bench',
  name: 'a small answer of about two hundred bytes',
  tags: ['mesh', 'gateway', 'edge', 'sidecar'],
  price: { amount: '19.90', currency: 'EUR' },
  available: true,
  stock: 1234,
});
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nCache-Control: no-store\r\n\r\n${body}`,
);
const END = Buffer.from('\r\n\r\n');

createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    for (let at = chunk.indexOf(END); at >= 0; at = chunk.indexOf(END, at + 4)) socket.write(answer);
  });
}).listen(Number(process.argv[2]), '127.0.0.1');

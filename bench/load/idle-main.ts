// Opens keep-alive connections, asks once on each, and holds them until its standard input ends.
// Usage: node bench/load/idle-main.ts HOST PORT COUNT AUTHORITY PATH; prints `held N` when all are there.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const [host, port, count, authority, path] = process.argv.slice(2);
const request = `GET ${path} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;
const AT_ONCE = 50;
const held: Socket[] = [];
let lost = 0;

async function open(): Promise<void> {
  const socket = connect({ host, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  socket.write(request);
  await once(socket, 'data');
  socket.resume();
  socket.on('error', () => {});
  socket.on('close', () => {
    lost += 1;
  });
  held.push(socket);
}

for (let left = Number(count); left > 0; left -= AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, left) }, open));
}
process.stdout.write(`held ${held.length}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
process.stdout.write(`lost ${lost}\n`);
process.exit(0);

// A small app for the storm, as a process of its own: says who it is, calls `back` where it is asked to, echoes bodies.
// It dies of SIGTERM at once, as most apps do: nothing may be under way any more when it gets one.
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';

const [name = '', port = ''] = process.argv.slice(2);
const back = process.env['BACK_URL'] ?? '';
const agent = new Agent({ keepAlive: true });

createServer({ keepAliveTimeout: 60_000 }, (incoming, answer) => {
  const onward = (incoming.url ?? '').startsWith('/via');
  if (onward) return relay(incoming, answer);
  answer.setHeader('x-served-by', name);
  return incoming.pipe(answer);
}).listen(Number(port), '127.0.0.1', () => console.log(`${name} listens`));

// Whoever started it may be killed, and cannot take it along then.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(1), 500);

function relay(incoming: IncomingMessage, answer: ServerResponse): void {
  const { method = 'GET', headers } = incoming;
  const length = headers['content-length'];
  const fields = length === undefined ? {} : { 'content-length': length };
  const call = request(new URL('/from-front', back), { method, agent, headers: fields }, (got) => {
    answer.writeHead(got.statusCode ?? 502, {
      'x-served-by': `${name} ${String(got.headers['x-served-by'])}`,
      'x-weft-error': `back: ${String(got.headers['x-weft-error'])}`,
    });
    got.on('error', (error) => answer.destroy(error));
    got.pipe(answer);
  });
  call.on('error', (error) => {
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(500, { 'x-weft-error': `front cannot call back: ${error.message}` }).end();
  });
  incoming.pipe(call);
}

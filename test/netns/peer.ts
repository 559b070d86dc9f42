// The apps of the tests, and callers that are no HTTP clients, as a program of its own: it runs in a namespace of its own.
//   serve NAME KIND PORT HOST …   http, grpc or tcp; each says its name and what it was asked
//   grpc TARGET [AUTHORITY]       one unary call; HTTP_PROXY counts, as grpc-js has it
//   tcp HOST PORT                 says `ping` and ends its side; prints what comes
//   connect PROXY-PORT HOST:PORT  the same through a tunnel
import { Client, credentials, type MethodDefinition, Server, ServerCredentials } from '@grpc/grpc-js';
import { createServer, request } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';

const METHOD: MethodDefinition<Buffer, Buffer> = {
  path: '/weft.test.Echo/Unary',
  requestStream: false,
  responseStream: false,
  requestSerialize: (value) => value,
  requestDeserialize: (value) => value,
  responseSerialize: (value) => value,
  responseDeserialize: (value) => value,
};

async function serveAll(words: readonly string[]): Promise<void> {
  for (let i = 0; i < words.length; i += 4) {
    const [name = '', kind = '', port = '', host = ''] = words.slice(i, i + 4);
    await SERVERS[kind as keyof typeof SERVERS](name, Number(port), host);
  }
  process.stdout.write('serving\n');
}

const SERVERS = {
  http: (name: string, port: number, host: string) =>
    new Promise<void>((done) => {
      const server = createServer((incoming, response) => {
        response.end(`${name} via ${incoming.headers.via ?? 'nobody'} for ${incoming.headers.host}\n`);
      });
      server.listen(port, host, done);
    }),
  grpc: (name: string, port: number, host: string) =>
    new Promise<void>((done, fail) => {
      const server = new Server();
      server.addService(
        { Unary: METHOD },
        {
          Unary: (call: { request: Buffer }, done_: (error: null, value: Buffer) => void) =>
            done_(null, Buffer.from(`${name} got ${call.request.toString()}`)),
        },
      );
      server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? done() : fail(error),
      );
    }),
  tcp: (name: string, port: number, host: string) =>
    new Promise<void>((done) => {
      const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
        let text = '';
        socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        socket.on('end', () => socket.end(`${name} got ${text}\n`)).on('error', () => {});
      });
      server.listen(port, host, done);
    }),
};

function callGrpc(target: string, authority?: string): void {
  const options = authority === undefined ? {} : { 'grpc.default_authority': authority };
  const client = new Client(target, credentials.createInsecure(), options);
  const deadline = Date.now() + 10_000;
  client.makeUnaryRequest(
    METHOD.path,
    METHOD.requestSerialize,
    METHOD.responseDeserialize,
    Buffer.from('ping'),
    { deadline },
    (error, value) => {
      process.stdout.write(error === null ? `${value?.toString()}\n` : `status ${error.code} ${error.details}\n`);
      client.close();
    },
  );
}

function say(socket: Socket): void {
  socket.on('error', (error) => process.stdout.write(`${error.message}\n`));
  socket.pipe(process.stdout);
  socket.end('ping');
}

function tunnel(port: number, to: string): void {
  const asked = request({ host: '127.0.0.1', port, method: 'CONNECT', path: to, headers: { host: to } });
  asked.once('connect', (answer, socket: Socket) => {
    if (answer.statusCode === 200) return say(socket);
    process.stdout.write(`status ${answer.statusCode}\n`);
    socket.destroy();
  });
  asked.end();
}

const [what = '', ...rest] = process.argv.slice(2);
if (what === 'serve') await serveAll(rest);
else if (what === 'grpc') callGrpc(rest[0] ?? '', rest[1]);
else if (what === 'tcp') say(connect(Number(rest[1]), rest[0] ?? ''));
else if (what === 'connect') tunnel(Number(rest[0]), rest[1] ?? '');
else throw new Error(`what is ${what}?`);

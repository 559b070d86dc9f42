// A gRPC service and its client, both of grpc-js, with messages that are plain bytes. What a call does stands in its
// path; what became of it at the app can be asked.
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type CallOptions,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type MethodDefinition,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import type { TestContext } from 'node:test';

const SERVICE = '/weft.test.Echo';
const bytes = (value: Buffer): Buffer => value;

function method(name: string, requestStream: boolean, responseStream: boolean): MethodDefinition<Buffer, Buffer> {
  return {
    path: `${SERVICE}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}

const METHODS = {
  Unary: method('Unary', false, false),
  Fail: method('Fail', false, false),
  Hang: method('Hang', false, false),
  Count: method('Count', false, true),
  Collect: method('Collect', true, false),
  Hasty: method('Hasty', true, false),
  Chat: method('Chat', true, true),
} as const;

export interface GrpcApp {
  readonly port: number;
  readonly calls: () => number;
  /** Calls of Hang, Count and Chat that were cancelled. */
  readonly cancelled: () => number;
  /** Metadata of the newest call. */
  readonly metadata: () => Metadata;
  /** Milliseconds that the newest call had left when it came; Infinity without a deadline. */
  readonly left: () => number;
  readonly stop: () => void;
}

/** Echo: Unary and Chat send back what they get, Count what it gets ten times, Collect all at once. */
export async function startGrpcApp(t: TestContext): Promise<GrpcApp> {
  let calls = 0;
  let cancelled = 0;
  let metadata = new Metadata();
  let left = Infinity;
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const seen = (call: {
    readonly metadata: Metadata;
    getDeadline(): Date | number;
    on(name: 'cancelled', then: () => void): unknown;
  }): void => {
    calls += 1;
    metadata = call.metadata;
    left = Number(call.getDeadline()) - Date.now();
    call.on('cancelled', () => void (cancelled += 1));
  };
  const trailer = (): Metadata => {
    const trailers = new Metadata();
    trailers.set('x-trailer', 'last');
    trailers.set('x-trailer-bin', Buffer.from([0, 255, 1]));
    return trailers;
  };
  server.addService(METHODS, {
    Unary: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      seen(call);
      const head = new Metadata();
      head.set('x-head', 'first');
      head.set('x-head-bin', Buffer.from([255, 0, 7]));
      call.sendMetadata(head);
      done(null, call.request, trailer());
    },
    Fail: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      seen(call);
      done({ code: Number(call.request.toString()), details: 'a %-sign and ü\n', metadata: trailer() });
    },
    Hang: (call: ServerUnaryCall<Buffer, Buffer>) => seen(call),
    Count: (call: ServerWritableStream<Buffer, Buffer>) => {
      seen(call);
      if (call.request.length === 0) return void call.write(Buffer.from('first'));
      for (let i = 0; i < 10; i++) call.write(call.request);
      call.end(trailer());
    },
    Collect: (call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      seen(call);
      const all: Buffer[] = [];
      call.on('data', (chunk: Buffer) => all.push(chunk));
      call.on('end', () => done(null, Buffer.concat(all)));
    },
    /** Has its answer at the first message. */
    Hasty: (call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      seen(call);
      call.once('data', (chunk: Buffer) => done(null, chunk));
    },
    Chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
      seen(call);
      call.on('data', (chunk: Buffer) => call.write(chunk));
      call.on('end', () => call.end(trailer()));
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const stop = (): void => server.forceShutdown();
  t.after(stop);
  return { port, calls: () => calls, cancelled: () => cancelled, metadata: () => metadata, left: () => left, stop };
}

export interface Outcome {
  readonly code: number;
  readonly details: string;
  readonly messages: readonly Buffer[];
  readonly head: Metadata;
  readonly trailers: Metadata;
}

export class GrpcCaller {
  readonly #client: Client;

  constructor(
    t: TestContext,
    target: string,
    secure?: ChannelCredentials,
    options: Readonly<Record<string, unknown>> = {},
  ) {
    this.#client = new Client(target, secure ?? credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      // A failed connection is dialled again at once.
      'grpc.initial_reconnect_backoff_ms': 100,
      ...options,
    });
    t.after(() => this.#client.close());
  }

  unary(
    name: 'Unary' | 'Fail' | 'Hang' | 'Nowhere',
    request: Buffer,
    metadata = new Metadata(),
    options: CallOptions = {},
  ): Promise<Outcome> {
    const { path } = name === 'Nowhere' ? { path: `${SERVICE}/Nowhere` } : METHODS[name];
    return new Promise((resolve) => {
      let last: StatusObject | null = null;
      let head = new Metadata();
      const done = (error: ServiceError | null, answer?: Buffer): void => {
        // The status comes after this call.
        setImmediate(() => resolve(outcome(error ?? last, answer === undefined ? [] : [answer], head)));
      };
      const call: ClientUnaryCall = this.#client.makeUnaryRequest(path, bytes, bytes, request, metadata, options, done);
      call.on('metadata', (fields: Metadata) => (head = fields));
      call.on('status', (fields: StatusObject) => (last = fields));
    });
  }

  count(request: Buffer, options: CallOptions = {}): ClientReadableStream<Buffer> {
    return this.#client.makeServerStreamRequest(METHODS.Count.path, bytes, bytes, request, options);
  }

  collect(
    name: 'Collect' | 'Hasty',
    done: (error: ServiceError | null, answer?: Buffer) => void,
  ): ClientWritableStream<Buffer> {
    return this.#client.makeClientStreamRequest(METHODS[name].path, bytes, bytes, done);
  }

  chat(options: CallOptions = {}): ClientDuplexStream<Buffer, Buffer> {
    return this.#client.makeBidiStreamRequest(METHODS.Chat.path, bytes, bytes, options);
  }
}

/** Everything that a stream still says, to its status. */
export function ended(stream: ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>): Promise<Outcome> {
  const messages: Buffer[] = [];
  let head = new Metadata();
  return new Promise((resolve) => {
    stream.on('data', (message: Buffer) => messages.push(message));
    stream.on('metadata', (fields: Metadata) => (head = fields));
    stream.on('error', () => {});
    stream.on('status', (fields: StatusObject) => resolve(outcome(fields, messages, head)));
  });
}

function outcome(last: StatusObject | ServiceError | null, messages: readonly Buffer[], head: Metadata): Outcome {
  const { code, details, metadata } = last ?? { code: status.UNKNOWN, details: 'no status', metadata: new Metadata() };
  return { code, details, messages, head, trailers: metadata };
}

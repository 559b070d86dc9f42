// The two ends of the discovery stream without any of their logic: a client and a server that a test drives by
// hand and that keep every message. Real mutual TLS.
import { connect, type SecureVersion } from 'node:tls';
import { Server, type ServerDuplexStream, type StatusObject } from '@grpc/grpc-js';
import { MutualTls } from '../../control-plane/server/credentials.ts';
import { bind } from '../../control-plane/server/discovery-server.ts';
import { loadServices } from '../../proto/codec/services.ts';
import type { DiscoveryHandlers } from '../../proto/gen/weft/v1/Discovery.ts';
import type { DiscoveryRequest, DiscoveryRequest__Output } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse, DiscoveryResponse__Output } from '../../proto/gen/weft/v1/DiscoveryResponse.ts';
import { connectDiscovery } from '../../proxy/agent/channel.ts';
import { eventually } from './eventually.ts';
import type { TestAuthority, TestIdentity } from './test-authority.ts';

export interface RecordingClient {
  readonly received: DiscoveryResponse__Output[];
  send(request: DiscoveryRequest): void;
  /** The n-th response, from 0, once it is there. */
  response(index: number): Promise<DiscoveryResponse__Output>;
  /** How the stream ended. */
  readonly ended: Promise<StatusObject>;
  close(): void;
}

const TYPES = [
  'RESOURCE_TYPE_CLUSTER',
  'RESOURCE_TYPE_ENDPOINTS',
  'RESOURCE_TYPE_LISTENER',
  'RESOURCE_TYPE_ROUTES',
] as const;

/** The first message of a sidecar that holds nothing. */
export const HELLO: DiscoveryRequest = {
  node: { version: '0.1.0', inboundPort: 15_006 },
  subscriptions: TYPES.map((type) => ({ type, subscribe: ['*'] })),
};

/** `serialize` stands in for the real one, to send what no proxy would. */
export function openRecordingClient(
  port: number,
  identity: TestIdentity,
  serialize?: (request: DiscoveryRequest) => Buffer,
): RecordingClient {
  const { Stream } = loadServices().discovery;
  const method = serialize === undefined ? Stream : { ...Stream, requestSerialize: serialize };
  const keepalive = { time: 60_000, timeout: 60_000 };
  const connection = connectDiscovery({ host: '127.0.0.1', port }, identity, method, keepalive);
  const { stream } = connection;
  const received: DiscoveryResponse__Output[] = [];
  stream.on('data', (response) => received.push(response));
  stream.on('error', () => {});
  return {
    received,
    send: (request) => void stream.write(request),
    response: (index) => eventually(() => received[index]),
    ended: new Promise((done) => stream.once('status', done)),
    close: () => {
      stream.cancel();
      connection.close();
    },
  };
}

export interface RecordingServer {
  readonly port: number;
  readonly received: DiscoveryRequest__Output[];
  /** Sends on the newest stream. */
  send(response: DiscoveryResponse): void;
  request(index: number): Promise<DiscoveryRequest__Output>;
  close(): void;
}

/** `identity` stands in for the control plane's own, `serialize` for the real one. */
export async function startRecordingServer(
  authority: TestAuthority,
  identity: TestIdentity = authority.server,
  serialize?: (response: DiscoveryResponse) => Buffer,
): Promise<RecordingServer> {
  const received: DiscoveryRequest__Output[] = [];
  let newest: ServerDuplexStream<DiscoveryRequest__Output, DiscoveryResponse> | null = null;
  const handlers: DiscoveryHandlers = {
    Stream: (call) => {
      newest = call;
      call.on('data', (request) => received.push(request));
      call.on('error', () => {});
      call.on('end', () => call.end());
    },
  };
  const server = new Server();
  const { Stream } = loadServices().discovery;
  server.addService(
    { Stream: serialize === undefined ? Stream : { ...Stream, responseSerialize: serialize } },
    handlers,
  );
  const port = await bind(server, { host: '127.0.0.1', port: 0 }, new MutualTls(identity));
  return {
    port,
    received,
    send: (response) => void newest?.write(response),
    request: (index) => eventually(() => received[index]),
    close: () => server.forceShutdown(),
  };
}

/** A bare TLS handshake; resolves to the version, or rejects with what the server said to it. */
export function handshake(
  port: number,
  options: { readonly identity?: TestIdentity; readonly maxVersion?: SecureVersion; readonly caPem: string },
): Promise<string> {
  const { identity, maxVersion = 'TLSv1.3', caPem } = options;
  return new Promise((done, fail) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca: caPem,
      ALPNProtocols: ['h2'],
      maxVersion,
      checkServerIdentity: () => undefined,
      ...(identity === undefined ? {} : { key: identity.keyPem, cert: identity.chainPem }),
    });
    // A TLS 1.3 server refuses the client's certificate after the client's side of the handshake is done.
    socket.once('data', () => {
      done(socket.getProtocol() ?? '');
      socket.destroy();
    });
    socket.once('error', (error) => {
      fail(error);
      socket.destroy();
    });
    socket.once('close', () => fail(new Error('closed')));
  });
}

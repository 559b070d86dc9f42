// A proxy of the smallest kind, for the codec's own tests: every request goes to one upstream, over a
// pool of its own. It is not the product's forwarding.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { ERRORS } from '../../../../core/kit/error-table.ts';
import type { MeshError } from '../../../../core/kit/error.ts';
import type {
  Downstream,
  DownstreamHandler,
  RequestHead,
  Upstream,
  UpstreamHandler,
} from '../../../../proxy/exchange.ts';
import { splice } from '../../../../proxy/forward/splice.ts';
import { Http1ClientConnection } from '../../../../proxy/http1/client-connection.ts';
import { CLIENT_LIMITS, SERVER_LIMITS } from '../../../../proxy/http1/limits.ts';
import { Http1ServerConnection } from '../../../../proxy/http1/server-connection.ts';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { TimerWheel } from '../../../../proxy/kit/timer-wheel.ts';

export interface Relay {
  readonly port: number;
  /** Connections to the upstream that were opened so far. */
  opened: number;
  close(): Promise<void>;
}

function answerError(downstream: Downstream, error: MeshError): void {
  const body = Buffer.from(`${error.code}: ${error.detail}`);
  const { http } = ERRORS[error.code];
  downstream.sendHead({
    status: http,
    reason: '',
    headers: new HeaderList(),
    bodyLength: body.length,
    declaredLength: -1,
  });
  downstream.sendData(body);
  downstream.sendEnd(null);
}

export async function startRelay(upstreamPort: number): Promise<Relay> {
  const timers = new TimerWheel({ now: () => performance.now() });
  const idle: Http1ClientConnection[] = [];
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => sockets.add(socket) && socket.once('close', () => sockets.delete(socket));

  const forward = (downstream: Downstream, head: RequestHead): DownstreamHandler => {
    let upstream: Upstream | null = null;
    const early: Array<(to: Upstream) => void> = [];
    const later = (call: (to: Upstream) => void): void => void (upstream === null ? early.push(call) : call(upstream));
    const answer: UpstreamHandler = {
      onInformational: (status, headers) => downstream.sendInformational(status, headers),
      onHead: (answered) => downstream.sendHead(answered),
      onData: (chunk) => void (downstream.sendData(chunk) || upstream?.pause()),
      onEnd: (trailers) => downstream.sendEnd(trailers),
      onDrain: () => downstream.resume(),
      onError: (error) => (error.code === 'upstream-reset' ? downstream.reset() : answerError(downstream, error)),
      onUpgrade: (answered, tunnel) => {
        splice(downstream.sendUpgrade(answered), tunnel, () => {});
      },
    };
    const begin = (connection: Http1ClientConnection): void => {
      upstream = connection.request(head, answer);
      for (const call of early) call(upstream);
    };
    const pooled = idle.pop();
    if (pooled === undefined) open(begin);
    else begin(pooled);
    return {
      onData: (chunk) => later((to) => void (to.sendData(chunk) || downstream.pause())),
      onEnd: (trailers) => later((to) => to.sendEnd(trailers)),
      onDrain: () => upstream?.resume(),
      onAbort: () => later((to) => to.cancel()),
    };
  };

  const open = (then: (connection: Http1ClientConnection) => void): void => {
    relay.opened++;
    const socket = track(connect(upstreamPort, '127.0.0.1'));
    socket.once('connect', () => {
      const connection = new Http1ClientConnection(socket, {
        limits: CLIENT_LIMITS,
        timers,
        onIdle: (freed) => void idle.push(freed),
        onClose: (gone) => void (idle.includes(gone) && idle.splice(idle.indexOf(gone), 1)),
      });
      connection.start();
      then(connection);
    });
  };

  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    const info = {
      listener: 'test',
      peer: null,
      remoteAddress: '127.0.0.1',
      remotePort: 1,
      scheme: 'http' as const,
      serverName: '',
    };
    const common = { onRequest: forward, onRefused: answerError, limits: SERVER_LIMITS, timers };
    const options = { ...common, onPreface: null, onClose() {} };
    new Http1ServerConnection(track(socket), info, options).start();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay: Relay = {
    port: (server.address() as AddressInfo).port,
    opened: 0,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
  return relay;
}

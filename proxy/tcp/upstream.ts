// The upstream's side: a connection to an endpoint, with what has to be said before the first byte of the client. On a
// mesh leg the other sidecar then says whether its app took the connection; until it has, nothing of the client is sent,
// so that another endpoint can be tried.
import type { Socket } from 'node:net';
import { MeshError } from '../../core/kit/error.ts';
import type { Cluster } from '../../core/model/view.ts';
import type { EndpointHandle } from '../exchange.ts';
import { type ProxiedPair, writeProxyHeader } from '../kit/proxy-protocol.ts';
import { SocketTunnel } from '../kit/socket-tunnel.ts';
import { type TimerWheel, WheelTimer } from '../kit/timer-wheel.ts';
import type { Tunnel } from '../kit/tunnel.ts';
import { STATUS } from './frames.ts';
import { MeshTunnel } from './mesh-tunnel.ts';

export type ConnectDone = (error: MeshError | null, tunnel: Tunnel | null) => void;

/** Calls back once, never at once; an error is `unprocessed`. `onBroken`: why it breaks off later. The returned function gives up. */
export function connectUpstream(
  cluster: Cluster,
  endpoint: EndpointHandle,
  pair: ProxiedPair | null,
  timers: TimerWheel,
  onBroken: (reason: string) => void,
  done: ConnectDone,
): () => void {
  let giveUp = endpoint.connect((error, socket) => {
    if (error !== null || socket === null) {
      done(error ?? new MeshError('internal'), null);
      return;
    }
    if (cluster.kind === 'mesh') {
      giveUp = meetSidecar(cluster, endpoint, socket, pair, timers, onBroken, done);
      return;
    }
    if (cluster.proxyProtocol !== null) socket.write(writeProxyHeader(cluster.proxyProtocol, pair));
    done(null, new SocketTunnel(socket, null));
  });
  return () => giveUp();
}

function meetSidecar(
  cluster: Cluster,
  endpoint: EndpointHandle,
  socket: Socket,
  pair: ProxiedPair | null,
  timers: TimerWheel,
  onBroken: (reason: string) => void,
  done: ConnectDone,
): () => void {
  let settled = false;
  const settle = (error: MeshError | null): void => {
    if (settled) return;
    settled = true;
    timers.cancel(timer);
    if (error === null) return done(null, tunnel);
    tunnel.destroy();
    done(error, null);
  };
  const failed = (reason: string): void => settle(failure('connect-failed', endpoint, reason));
  const timer = new WheelTimer(() => failed(`no word of its app within ${2 * cluster.connectTimeout} ms`));
  const tunnel = new MeshTunnel(
    socket,
    {
      onStatus: (status) => settle(statusError(status, endpoint)),
      onBroken: (reason) => (settled ? onBroken(reason) : failed(reason)),
    },
    true,
  );
  // Its sidecar takes as long as we to connect, and tries no other.
  timers.schedule(timer, 2 * cluster.connectTimeout);
  socket.write(writeProxyHeader('v2', pair));
  socket.resume();
  return () => {
    settled = true;
    timers.cancel(timer);
    tunnel.destroy();
  };
}

/** null: the app took the connection. */
function statusError(status: number, endpoint: EndpointHandle): MeshError | null {
  switch (status) {
    case STATUS.connected:
      return null;
    case STATUS.denied:
      return new MeshError('denied', { origin: 'upstream', detail: `${endpoint.id} does not let this workload in` });
    case STATUS.noRoute:
      return new MeshError('no-route', { origin: 'upstream', detail: `${endpoint.id} has no such port` });
    case STATUS.unreachable:
      return failure('connect-failed', endpoint, 'its app did not take the connection');
    default:
      return failure('no-endpoint', endpoint, 'it is starting or leaving');
  }
}

function failure(code: 'connect-failed' | 'no-endpoint', endpoint: EndpointHandle, reason: string): MeshError {
  return new MeshError(code, { origin: 'upstream', unprocessed: true, detail: `${endpoint.address}: ${reason}` });
}

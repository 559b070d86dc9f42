// Connects to an endpoint outside the mesh, or to the app beside this proxy: plain TCP.
import { connect } from 'node:net';
import type { ErrorCode } from '../../core/kit/error-table.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { Dial } from './dial.ts';

export const dialPlain: Dial = (cluster, endpoint, done) => {
  const socket = connect({ host: endpoint.host, port: endpoint.port, noDelay: true });
  const where = `${endpoint.host}:${endpoint.port}`;
  let settled = false;
  const fail = (reason: string, code: ErrorCode = 'connect-failed'): void => {
    if (settled) return;
    settled = true;
    clearTimeout(late);
    socket.destroy();
    done(new MeshError(code, { origin: 'upstream', unprocessed: true, detail: `${where}: ${reason}` }), null);
  };
  const late = setTimeout(
    () => fail(`no connection within ${cluster.connectTimeout} ms`, 'connect-timeout'),
    cluster.connectTimeout,
  );
  // Stays on: a socket whose dial was given up may still fail.
  const onError = (error: Error): void => fail(error.message);
  socket.on('error', onError);
  socket.on('connect', () => {
    if (settled) return;
    settled = true;
    clearTimeout(late);
    socket.off('error', onError);
    done(null, socket);
  });
  return () => {
    settled = true;
    clearTimeout(late);
    socket.destroy();
  };
};

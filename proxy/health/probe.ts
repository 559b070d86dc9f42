// One question to the app: a TCP connection, or a GET over HTTP/1.1 or HTTP/2. Nothing of the answer is kept but whether it
// is the right one.
import { connect } from 'node:net';
import type { HealthCheck } from '../../core/model/health.ts';
import type { HostPort, Protocol } from '../../core/model/mesh.ts';

/** What is asked, and how. */
export interface ProbeTarget {
  readonly address: HostPort;
  readonly protocol: Protocol;
  readonly check: HealthCheck;
}

/** '': it answered as it should; else why not, in words. Never rejects, and ends within the check's time-out. */
export type Probe = (target: ProbeTarget) => Promise<string>;

export const probe: Probe = (target) => {
  const { protocol, check } = target;
  if (check.path === null) return probeTcp(target);
  return protocol === 'http2' ? probeHttp2(target, check.path) : probeHttp(target, check.path);
};

function probeTcp({ address, check }: ProbeTarget): Promise<string> {
  return new Promise((done) => {
    const socket = connect(address);
    const end = (reason: string): void => {
      clearTimeout(late);
      done(reason);
      if (reason === '') {
        // In order: an app takes a reset for a fault.
        socket.end();
        socket.setTimeout(check.timeout, () => socket.destroy());
      } else socket.destroy();
    };
    const late = setTimeout(() => end(noAnswer(check)), check.timeout);
    socket.once('connect', () => end(''));
    // Also what comes later, while it closes.
    socket.on('error', (error) => end(failure(error)));
    socket.resume();
  });
}

async function probeHttp({ address, check }: ProbeTarget, path: string): Promise<string> {
  // Most apps are never asked over HTTP.
  const { request } = await import('node:http');
  return new Promise((done) => {
    const late = setTimeout(() => asked.destroy(new Error(noAnswer(check))), check.timeout);
    const end = (reason: string): void => {
      clearTimeout(late);
      done(reason);
      asked.destroy();
    };
    const asked = request({ ...address, path, headers: HEADERS, agent: false }, ({ statusCode = 0 }) =>
      end(verdict(statusCode, path)),
    );
    asked.on('error', (error) => end(failure(error)));
    asked.end();
  });
}

async function probeHttp2({ address, check }: ProbeTarget, path: string): Promise<string> {
  const http2 = await import('node:http2');
  return new Promise((done) => {
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    const session = http2.connect(`http://${host}:${address.port}`);
    const end = (reason: string): void => {
      clearTimeout(late);
      done(reason);
      session.destroy();
    };
    const late = setTimeout(() => end(noAnswer(check)), check.timeout);
    session.on('error', (error: Error) => end(failure(error)));
    const stream = session.request({ ':path': path, ...HEADERS });
    stream.on('error', (error: Error) => end(failure(error)));
    stream.on('response', (headers) => end(verdict(Number(headers[':status'] ?? 0), path)));
    stream.end();
  });
}

const HEADERS = { 'user-agent': 'weft-health', accept: '*/*' } as const;

function verdict(status: number, path: string): string {
  return status >= 200 && status < 400 ? '' : `${path} answered with ${status}`;
}

function noAnswer({ timeout }: HealthCheck): string {
  return `no answer in ${timeout} ms`;
}

function failure(told: Error): string {
  // A stream of HTTP/2 is cancelled because of what befell its connection.
  const error = told.cause instanceof Error ? told.cause : told;
  const code = 'code' in error ? error.code : '';
  if (code === 'ECONNREFUSED') return 'nobody listens';
  if (code === 'ECONNRESET') return 'it closed the connection';
  return error.message;
}

// One request before any load: does the contender answer as it must, and what reaches the service?
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import { GRPC_MESSAGE } from '../upstream/answer.ts';

export interface ProbeSpec {
  readonly protocol: 'http1' | 'http2' | 'grpc';
  readonly url: string;
  readonly host: string;
}

const PATIENCE = 15_000;
const TIMEOUT = 3_000;

/** Null where it answers; else why not. Asked again for a while: a mesh may still be coming up. */
export async function probe(spec: ProbeSpec): Promise<string | null> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const problem = await (spec.protocol === 'http1' ? askHttp1(spec) : askHttp2(spec)).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
    if (problem === null || performance.now() > end) return problem;
    await delay(250);
  }
}

function askHttp1({ url, host }: ProbeSpec): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { Host: host }, agent: false, timeout: TIMEOUT }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? null : `status ${response.statusCode}`);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', reject);
    asked.end();
  });
}

async function askHttp2({ protocol, url, host }: ProbeSpec): Promise<string | null> {
  const { pathname, origin } = new URL(url);
  const session = connect(origin, { rejectUnauthorized: false });
  try {
    const failed = new Promise<never>((_, reject) => {
      session.on('error', reject);
      setTimeout(() => reject(new Error('no answer')), TIMEOUT).unref();
    });
    const grpc = protocol === 'grpc';
    const stream = session.request({
      ':method': grpc ? 'POST' : 'GET',
      ':path': pathname,
      ':authority': host,
      ...(grpc ? { 'content-type': 'application/grpc', te: 'trailers' } : {}),
    });
    let status = '';
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (headers) => {
      status = String(headers[':status']);
      // Trailers-only, which is how errors are said.
      trailers = headers;
    });
    stream.on('trailers', (headers) => {
      trailers = headers;
    });
    stream.on('error', () => {});
    stream.resume();
    stream.end(grpc ? GRPC_MESSAGE : undefined);
    await Promise.race([once(stream, 'close'), failed]);
    if (status !== '200') return `status ${status}`;
    return !grpc || trailers['grpc-status'] === '0' ? null : `grpc-status ${String(trailers['grpc-status'])}`;
  } finally {
    session.destroy();
  }
}

// What the four services share: a tiny JSON server and a JSON client on node:http. Nothing here knows of a mesh;
// it only does what every well-behaved service does: listen where it is told, call where it is told, and hand the
// trace on.
import { Agent, createServer, request } from 'node:http';

const { SERVICE, VERSION = '', INSTANCE = '', HOST = '0.0.0.0' } = process.env;
const agent = new Agent({ keepAlive: true });
const TRACE = ['traceparent', 'tracestate', 'x-request-id', 'x-trace-id'];

/**
 * Serves `routes`: 'METHOD /path/:name' → async ({ params, query, body, call }) => [status, value]. What `call`
 * brings back from other services takes part in the answer's `hops`.
 */
export function serve(service, defaultPort, routes) {
  const me = { service: SERVICE ?? service, version: VERSION, instance: INSTANCE };
  const table = Object.entries(routes).map(([key, handler]) => ({ ...parseRoute(key), handler }));
  const server = createServer(async (incoming, response) => {
    const hops = [...viaHops(incoming), describe(me)];
    try {
      const [status, value] = await answer(table, incoming, hops);
      reply(response, status, { ...value, hops });
    } catch (error) {
      reply(response, error.status ?? 502, { error: error.message, hops });
    }
  });
  // Longer than a proxy keeps an idle connection, so that the proxy is the one that closes.
  server.keepAliveTimeout = 75_000;
  server.listen(Number(process.env.PORT ?? defaultPort), HOST, () => {
    console.log(`${describe(me)} listens on ${HOST}:${server.address().port}`);
  });
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, () => {
      server.close(() => process.exit(0));
      server.closeIdleConnections();
      setTimeout(() => process.exit(0), 2_000).unref();
    });
  }
}

async function answer(table, incoming, hops) {
  const url = new URL(incoming.url, 'http://localhost');
  if (url.pathname === '/healthz') return [200, { ok: true }];
  for (const { method, segments, handler } of table) {
    const params = matchPath(segments, url.pathname);
    if (incoming.method !== method || params === null) continue;
    const body = await readJson(incoming);
    return handler({ params, query: url.searchParams, body, call: caller(incoming, hops) });
  }
  return [404, { error: 'not found' }];
}

/** A function that calls another service: `call('payments', 8082, 'POST', '/charge', body)` → { status, value }. */
function caller(incoming, hops) {
  const trace = Object.fromEntries(
    TRACE.filter((name) => incoming.headers[name]).map((name) => [name, incoming.headers[name]]),
  );
  return async (service, port, method, path, body) => {
    const base = process.env[`${service.toUpperCase()}_URL`] ?? `http://${service}:${port}`;
    const { status, value } = await send(new URL(path, base), method, trace, body);
    hops.push(...(value.hops ?? []));
    return { status, value };
  };
}

function send(url, method, headers, body) {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const framing =
    payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method, agent, headers: { ...headers, ...framing }, timeout: 10_000 },
      async (response) => {
        try {
          resolve({ status: response.statusCode, value: await readJson(response) });
        } catch (error) {
          reject(error);
        }
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('timed out')));
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

async function readJson(stream) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > 1024 * 1024) throw Object.assign(new Error('the body is too large'), { status: 413 });
    chunks.push(chunk);
  }
  if (size === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw Object.assign(new Error('the body is not JSON'), { status: 400 });
  }
}

function reply(response, status, value) {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

// Via: 1.1 edge-main, 1.1 orders → the proxies that the request passed. RFC 9110 §7.6.3.
function viaHops(incoming) {
  return (incoming.headers.via ?? '')
    .split(',')
    .map((entry) => entry.trim().split(/\s+/)[1])
    .filter((name) => name !== undefined);
}

function describe({ service, version, instance }) {
  return `${service}${version && `@${version}`}${instance && ` (${instance})`}`;
}

function parseRoute(key) {
  const [method, path] = key.split(' ');
  return { method, segments: path.split('/') };
}

function matchPath(segments, path) {
  const given = path.split('/');
  if (given.length !== segments.length) return null;
  const params = {};
  for (const [i, segment] of segments.entries()) {
    if (segment.startsWith(':')) params[segment.slice(1)] = decodeURIComponent(given[i]);
    else if (segment !== given[i]) return null;
  }
  return params;
}

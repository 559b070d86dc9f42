// The OpenAPI description and the server, held to each other: whatever is described is served and answers so, whatever
// is served is described.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { eventually } from '../support/eventually.ts';
import { runControlPlaneHere, type RunningControlPlane } from '../support/running-control-plane.ts';
import { askSocket, askTls, operatorPapers, papersOf, type RawReply } from '../support/operators.ts';
import { identityOf } from '../../certs/policy/names.ts';

const FILE = new URL('../../docs/openapi.json', import.meta.url);

const MESH = `version: 1
mesh: { trustDomain: shop.test }
services:
  web: { port: 3000, calls: [orders, legacy] }
  orders: { ports: { http: 8080, grpc: { port: 9090, protocol: grpc } }, versions: { v1: {}, v2: {} } }
  legacy: { endpoints: [127.0.0.1:9999], protocol: tcp }
edges:
  main:
    listeners: [{ port: 0, address: 127.0.0.1 }, { port: 0, address: 127.0.0.1, protocol: tcp, to: legacy }]
    routes:
      - match: { path: /api/**, methods: [GET], headers: { x-a: b }, query: { q: "1" }, hosts: [shop.test] }
        to: { orders@v1: 90, orders@v2: 10 }
        rewrite: { prefix: /api, to: / }
        timeout: 3s
      - { match: /**, to: web }
`;

interface Described {
  readonly operationId: string;
  readonly 'x-role': string;
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Answered | { readonly $ref: string }>>;
}
interface Answered {
  readonly content: Content;
}
type Content = Readonly<Record<string, { readonly schema: object }>>;
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: { readonly Problem: Answered };
  };
}

async function describedBy(running: RunningControlPlane): Promise<Document> {
  const { status, json } = await askSocket(running, { path: '/v1/openapi.json' });
  assert.equal(status, 200);
  return json as Document;
}

const operationsIn = (document: Document) =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({ path, method: method.toUpperCase(), described })),
  );

/** What an answer must look like by the description; its lines where it is watched. */
function checkers(document: Document) {
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, formats: { 'date-time': isDateTime } });
  const made = new Map<string, ValidateFunction>();
  const compile = (schema: object): ValidateFunction => {
    const key = JSON.stringify(schema).replaceAll('#/components/schemas/', '');
    const known = made.get(key) ?? ajv.compile(JSON.parse(key) as object);
    made.set(key, known);
    return known;
  };
  for (const [name, schema] of Object.entries(document.components.schemas)) ajv.addSchema(schema, name);
  return (described: Described, reply: RawReply, type = 'application/json') => {
    const given = described.responses[String(reply.status)];
    const response = given !== undefined && '$ref' in given ? document.components.responses.Problem : given;
    assert.ok(response, `${described.operationId} answers ${reply.status}, which is not described: ${reply.text}`);
    const schema = response.content[type]?.schema;
    assert.ok(schema, `${described.operationId}: ${type} is not described`);
    assert.equal(reply.headers['content-type'], type);
    const check = compile(schema);
    for (const value of type === 'application/json'
      ? [reply.json]
      : reply.text
          .trim()
          .split('\n')
          .map((each) => JSON.parse(each) as unknown)) {
      assert.ok(
        check(value),
        `${described.operationId} ${reply.status}: ${JSON.stringify(check.errors, null, 1)}\n${JSON.stringify(value)}`,
      );
    }
  };
}

function isDateTime(text: string): boolean {
  return new Date(text).toISOString() === text;
}

async function meshOf(t: TestContext) {
  const running = await runControlPlaneHere(t, MESH, { api: true, settle: 0 });
  const agent = await running.sidecar({ account: 'orders', version: 'v1', instance: 'orders-1' });
  await eventually(async () => {
    const { json } = await askSocket(running, { path: '/v1/proxies/orders-1' });
    return typeof json === 'object' && json !== null && 'snapshot' in json && json.snapshot !== null;
  });
  return { running, agent };
}

test('docs/openapi.json is what the server describes itself with (WEFT_UPDATE_GOLDEN=1 writes it anew)', async (t) => {
  const running = await runControlPlaneHere(t, MESH);
  const text = `${JSON.stringify(await describedBy(running), null, 2)}\n`;
  if (process.env['WEFT_UPDATE_GOLDEN'] === '1') writeFileSync(FILE, text);
  assert.equal(readFileSync(FILE, 'utf8'), text);
});

/** What stands for `{name}` in each path. */
async function namesIn(running: RunningControlPlane): Promise<Readonly<Record<string, string>>> {
  const first = async (list: string) => {
    const { json } = await askSocket(running, { path: `/v1/${list}` });
    return (json as { items: { name: string }[] }).items[0]?.name ?? '';
  };
  const lists = ['proxies', 'services', 'routes', 'certificates', 'snapshots'];
  return Object.fromEntries(await Promise.all(lists.map(async (list) => [list, await first(list)])));
}

const FILES = (text: string) => ({ files: [{ name: 'weft.yaml', text }] });

/** For each operation requests that bring out what it is described to answer. */
function requestsFor(
  id: string,
  snapshot: string,
): readonly { body?: object; query?: string; headers?: Record<string, string>; absent?: true }[] {
  const changed = MESH.replace('3s', '4s');
  const stale = { 'if-match': '"ffffffffffffffff"' };
  const tooLong = FILES('#'.repeat(17 * 1024 * 1024));
  const bad = [{ body: {} }, { body: FILES(MESH.replace('port: 3000', 'prt: 3000')) }, { body: tooLong }];
  switch (id) {
    case 'plan':
      return [{ body: FILES(changed) }, ...bad];
    case 'apply':
      return [
        { body: FILES(changed), headers: { 'if-match': `"${snapshot}"` } },
        { body: FILES(MESH), headers: stale },
        ...bad,
      ];
    case 'rollback':
      return [
        ...[{ body: { hash: snapshot, who: 'eve' } }, { body: {} }, { body: { hash: 'ffff' } }, { body: tooLong }],
        ...[{ body: { hash: snapshot }, headers: stale }],
      ];
    case 'drain':
      return [
        { body: {} },
        { body: {}, absent: true },
        { body: {}, headers: { 'content-type': 'text/plain' } },
        { body: tooLong },
      ];
    case 'undrain':
      return [
        { body: { who: 'eve' } },
        { body: {} },
        { body: {}, headers: { 'content-type': 'text/plain' } },
        { body: tooLong },
      ];
    case 'listAudit':
      return [{}, { query: '?limit=0' }];
    case 'getDecisions':
      return [{ query: '?limit=x' }, { absent: true }];
    default:
      return id.startsWith('get') && id !== 'getStatus' && id !== 'getConfig' ? [{}, { absent: true }] : [{}];
  }
}

/** Described, and not brought out here: a fault, a crowd, a silent proxy, one that leaves, a control plane that has nothing in force. */
const ELSEWHERE = new Set(['500', '503', '504', 'getConfig 404', 'rollback 422', 'getDecisions 200', 'drain 409']);

test('every operation answers as it is described, and with nothing that is not', async (t) => {
  const { running } = await meshOf(t);
  const document = await describedBy(running);
  const check = checkers(document);
  const names = await namesIn(running);
  const reader = await operatorPapers(running, 'reader');
  const workload = await papersOf(running, async (authority, publicKey) =>
    authority.signSvid({ publicKey, identity: identityOf('shop.test', 'orders') }),
  );
  const { json } = await askSocket(running, { path: '/v1/status' });
  const snapshot = (json as { snapshot: string }).snapshot;
  for (const { path, method, described } of operationsIn(document)) {
    const seen = new Set<string>();
    const list = path.split('/')[2] ?? '';
    const at = (name: string) => path.replace('{name}', encodeURIComponent(name));
    for (const { body, query = '', headers = {}, absent } of requestsFor(described.operationId, snapshot)) {
      const asked = { method, path: `${at(absent === true ? 'none' : (names[list] ?? ''))}${query}`, headers };
      const reply = await askSocket(running, body === undefined ? asked : { ...asked, body: JSON.stringify(body) });
      check(described, reply);
      seen.add(String(reply.status));
    }
    const strange = await askSocket(running, { method, path: `${at('x')}?strange=1` });
    check(described, strange);
    assert.equal(strange.status, 400, described.operationId);
    seen.add('400');
    for (const papers of [reader, workload]) {
      if (papers === reader && described['x-role'] === 'reader') continue;
      const reply = await askTls(running, papers, { method, path: at('x') });
      check(described, reply);
      seen.add(String(reply.status));
    }
    const expected = Object.keys(described.responses).filter(
      (status) =>
        !ELSEWHERE.has(status) &&
        !ELSEWHERE.has(`${described.operationId} ${status}`) &&
        // Every operator is at least a reader.
        !(status === '403' && described['x-role'] === 'reader'),
    );
    assert.deepEqual(
      expected.filter((status) => !seen.has(status)),
      [],
      described.operationId,
    );
  }
});

test('what is watched is told in lines as they are described, until the certificate ends', async (t) => {
  const { running } = await meshOf(t);
  const document = await describedBy(running);
  const check = checkers(document);
  const papers = await operatorPapers(running, 'reader', { life: 2_000 });
  const watched = operationsIn(document).filter(({ described }) =>
    JSON.stringify(described.responses['200']).includes('application/x-ndjson'),
  );
  assert.equal(watched.length, 5);
  await Promise.all(
    watched.map(async ({ path, described }) => {
      const reply = await askTls(running, papers, { path: `${path}?watch=true` });
      check(described, reply, 'application/x-ndjson');
      assert.match(reply.text, /"type":"item"[^]*"type":"synced"[^]*"type":"end"/);
    }),
  );
});

test('what is not described is not served', async (t) => {
  const running = await runControlPlaneHere(t, MESH);
  const document = await describedBy(running);
  for (const { path } of operationsIn(document)) {
    const served = Object.keys(document.paths[path] ?? {}).map((method) => method.toUpperCase());
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((each) => !served.includes(each))) {
      const { status, headers } = await askSocket(running, { method, path: path.replace('{name}', 'x') });
      assert.equal(status, 405, `${method} ${path}`);
      assert.equal(headers['allow']?.replace(', HEAD', ''), served.join());
    }
  }
  for (const path of [
    '/',
    '/v1',
    '/v1/',
    '/v2/proxies',
    '/v1/proxies/',
    '/v1/proxies/a/b',
    '/v1/proxies/%zz',
    '/v1/tokens',
  ]) {
    assert.equal((await askSocket(running, { path })).status, 404, path);
  }
});

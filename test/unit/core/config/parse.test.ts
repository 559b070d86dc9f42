import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { createConfigParser } from '../../../../core/config/parse.ts';
import { ruleId } from '../../../../core/model/brand.ts';
import { DEFAULT_HEALTH } from '../../../../core/model/health.ts';
import { DEFAULT_LIMITS } from '../../../../core/model/listener.ts';
import type { Mesh } from '../../../../core/model/mesh.ts';

const parse = createConfigParser();

function meshOf(text: string): Mesh {
  const result = parse([{ name: 'weft.yaml', text }]);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value.mesh;
}

function errorsOf(text: string): readonly string[] {
  const result = parse([{ name: 'weft.yaml', text }]);
  return result.ok ? [] : result.error.map((error) => `${error.line}:${error.column} ${error.path}`);
}

test('what is left out gets its default', () => {
  const mesh = meshOf('version: 1\nservices: { web: { port: 3000 } }\n');
  assert.equal(mesh.trustDomain, 'weft.local');
  assert.equal(mesh.authorization, 'calls');
  assert.deepEqual(mesh.services.get('web'), {
    kind: 'workload',
    name: 'web',
    port: 3000,
    protocol: 'http',
    portName: '',
    ports: [],
    run: null,
    calls: [],
    allow: null,
    versions: [{ name: null, instances: 1 }],
    workers: 1,
    health: DEFAULT_HEALTH,
    balance: 'least-request',
    timeout: null,
    perTryTimeout: null,
    idleTimeout: null,
    proxyProtocol: null,
    ruleId: 'services.web',
  });
});

test('a workload is read with everything that it can have', () => {
  const text = `version: 1
services:
  web: { port: 1 }
  api:
    port: 2
    run: node api.js
    calls: [web]
    versions: { v2: {}, v1: { instances: 3 }, v0: { instances: 0 } }
    balance: round-robin
    workers: 3
    health: { path: /healthz, interval: 2s, unhealthy: 2 }
    timeout: { request: 500ms, perTry: 200ms, idle: 1m }
    allow:
      - { from: web, methods: [GET, PURGE], paths: [/a, "/b/{id}", /c/**] }
      - { from: [edge-main, web] }
edges: { main: { listeners: [{ port: 8080 }], routes: [{ match: /**, to: api }] } }
`;
  assert.deepEqual(meshOf(text).services.get('api'), {
    kind: 'workload',
    name: 'api',
    port: 2,
    protocol: 'http',
    portName: '',
    ports: [],
    run: 'node api.js',
    calls: [{ service: 'web', ruleId: 'services.api.calls[0]' }],
    allow: [
      {
        from: ['web'],
        methods: ['GET', 'PURGE'],
        paths: [
          { kind: 'exact', path: '/a' },
          { kind: 'template', path: '/b/{id}' },
          { kind: 'glob', path: '/c/**' },
        ],
        ruleId: 'services.api.allow[0]',
      },
      { from: ['edge-main', 'web'], methods: [], paths: [], ruleId: 'services.api.allow[1]' },
    ],
    versions: [
      { name: 'v0', instances: 0 },
      { name: 'v1', instances: 3 },
      { name: 'v2', instances: 1 },
    ],
    workers: 3,
    health: { ...DEFAULT_HEALTH, path: '/healthz', interval: 2_000, unhealthy: 2 },
    balance: 'round-robin',
    timeout: 500,
    perTryTimeout: 200,
    idleTimeout: 60_000,
    proxyProtocol: null,
    ruleId: 'services.api',
  });
});

test('a service with endpoints is static and has no workload', () => {
  const mesh = meshOf('version: 1\nservices: { db: { endpoints: ["[::1]:9000", DB.internal:5432], timeout: 0 } }\n');
  assert.deepEqual(mesh.services.get('db'), {
    kind: 'static',
    name: 'db',
    endpoints: [
      { host: '::1', port: 9000 },
      { host: 'db.internal', port: 5432 },
    ],
    protocol: 'http',
    balance: 'least-request',
    timeout: 0,
    perTryTimeout: null,
    idleTimeout: null,
    proxyProtocol: null,
    ruleId: 'services.db',
  });
});

test('a service says what its app speaks', () => {
  const mesh = meshOf(`version: 1
services:
  a: { port: 1, protocol: grpc }
  b: { endpoints: [localhost:2], protocol: grpc, timeout: 2s }
  c: { port: 3, protocol: http2 }
`);
  const read = [...mesh.services.values()].map(({ protocol, timeout }) => [protocol, timeout]);
  assert.deepEqual(read, [
    ['grpc', null],
    ['grpc', 2_000],
    ['http2', null],
  ]);
});

test('several ports have names; the one called http is the main one, else the first, and the others are sorted', () => {
  const mesh = meshOf(`version: 1
services:
  a: { ports: { grpc: 9090, http: 8080, admin: { port: 9000, protocol: tcp } } }
  b: { ports: { tcp: 1, http2: 2 } }
  c: { ports: { db: { port: 5432, protocol: tcp } }, proxyProtocol: v2 }
`);
  const read = [...mesh.services.values()].map((service) =>
    service.kind === 'static'
      ? null
      : [service.portName, service.port, service.protocol, service.ports.map(({ name, port }) => `${name} ${port}`)],
  );
  assert.deepEqual(read, [
    ['http', 8080, 'http', ['admin 9000', 'grpc 9090']],
    ['tcp', 1, 'tcp', ['http2 2']],
    ['db', 5432, 'tcp', []],
  ]);
  assert.equal(mesh.services.get('c')?.proxyProtocol, 'v2');
});

test('an edge leads on bytes: by the name that TLS asks for, or all of a port', () => {
  const edge = meshOf(`version: 1
services:
  web: { port: 1 }
  api: { ports: { http: 2, grpc: 3, tcp: 4 }, versions: { v1: {} } }
edges:
  main:
    listeners:
      - { port: 8443, tls: passthrough }
      - { port: 6379, protocol: tcp, to: { "api:tcp": 1, "api@v1:tcp": 3 }, proxyProtocol: { from: [10.0.0.0/8, "fd00::/8"] } }
      - { port: 8080 }
    routes:
      - { match: { sni: [DB.shop.test, "*.db.test"] }, to: "api:tcp" }
      - { match: /**, to: "api:grpc" }
      - { match: /b, to: "api:http" }
`).edges.get('main');
  assert.deepEqual(edge?.passthrough, [
    {
      sni: ['db.shop.test', '*.db.test'],
      to: [{ service: 'api', version: null, port: 'tcp', weight: 1 }],
      ruleId: 'edges.main.routes[0]',
    },
  ]);
  assert.deepEqual(
    edge?.routes.map(({ to, ruleId }) => [ruleId, to[0]?.port]),
    [
      ['edges.main.routes[1]', 'grpc'],
      ['edges.main.routes[2]', ''],
    ],
  );
  const [passing, bytes] = edge?.listeners ?? [];
  assert.equal(passing?.tls, 'passthrough');
  assert.deepEqual(
    [bytes?.protocol, bytes?.to.map(({ port, version, weight }) => [port, version, weight]), bytes?.proxyProtocol],
    [
      'tcp',
      [
        ['tcp', null, 1],
        ['tcp', 'v1', 3],
      ],
      ['10.0.0.0/8', 'fd00::/8'],
    ],
  );
});

const ROUTES = `version: 1
services:
  web: { port: 1, versions: { v2: {}, v1: { instances: 3 } } }
edges:
  main:
    listeners: [{ port: 8443, hosts: [API.Shop.test., "*.b.test"], tls: internal }, { port: 0, address: "::1" }]
    routes:
      - { match: "POST,PUT /a/{id}", to: web@v2, timeout: { request: 1.5s, idle: 0 } }
      - { match: { prefix: /static/, host: API.shop.test, headers: { X-Beta: "1" }, query: { b: "2", a: "1" } }, to: { web@v2: 5, web@v1: 95 } }
      - { match: "/x/{id}/**", to: web, rewrite: { prefix: /x/, to: / } }
      - { match: { method: "GET, HEAD" }, to: web }
`;

test('an edge is read with all the forms of its routes', () => {
  const edge = meshOf(ROUTES).edges.get('main');
  assert.ok(edge);
  const speaksHttp = { protocol: 'http', to: [], proxyProtocol: null };
  assert.deepEqual(edge.listeners, [
    {
      address: '0.0.0.0',
      port: 8443,
      hosts: ['api.shop.test', '*.b.test'],
      tls: 'internal',
      limits: DEFAULT_LIMITS,
      trustedProxies: [],
      forwarded: 'x-forwarded',
      ...speaksHttp,
      ruleId: 'edges.main.listeners[0]',
    },
    {
      address: '::1',
      port: 0,
      hosts: [],
      tls: null,
      limits: DEFAULT_LIMITS,
      trustedProxies: [],
      forwarded: 'x-forwarded',
      ...speaksHttp,
      ruleId: 'edges.main.listeners[1]',
    },
  ]);
  const any = { hosts: [], methods: [], headers: [], query: [] };
  assert.deepEqual(
    edge.routes.map((route) => route.match),
    [
      { ...any, path: { kind: 'template', path: '/a/{id}' }, methods: ['POST', 'PUT'] },
      {
        ...any,
        path: { kind: 'prefix', path: '/static' },
        hosts: ['api.shop.test'],
        headers: [{ name: 'x-beta', value: '1' }],
        query: [
          { name: 'a', value: '1' },
          { name: 'b', value: '2' },
        ],
      },
      { ...any, path: { kind: 'glob', path: '/x/*/**' } },
      { ...any, path: { kind: 'prefix', path: '/' }, methods: ['GET', 'HEAD'] },
    ],
  );
  assert.deepEqual(edge.routes[0]?.to, [{ service: 'web', version: 'v2', port: '', weight: 1 }]);
  assert.deepEqual(edge.routes[1]?.to, [
    { service: 'web', version: 'v1', port: '', weight: 95 },
    { service: 'web', version: 'v2', port: '', weight: 5 },
  ]);
  assert.deepEqual(
    edge.routes.map((route) => [route.timeout, route.perTryTimeout, route.idleTimeout, route.rewrite]),
    [
      [1500, null, 0, null],
      [null, null, null, null],
      [null, null, null, { prefix: '/x', to: '/' }],
      [null, null, null, null],
    ],
  );
});

test('every rule of the model has its place in the source map', () => {
  const result = parse([{ name: 'a.yaml', text: ROUTES }]);
  assert.ok(result.ok);
  const { mesh, sources } = result.value;
  assert.deepEqual(sources.get(ruleId('edges.main.routes[1]')), { file: 'a.yaml', line: 9, column: 9 });
  assert.deepEqual(sources.get(ruleId('services.web')), { file: 'a.yaml', line: 3, column: 3 });
  const edge = mesh.edges.get('main');
  for (const { ruleId: id } of [...(edge?.routes ?? []), ...(edge?.listeners ?? [])]) assert.ok(sources.has(id), id);
});

test('the order of services, versions and targets in a file changes nothing in the model', () => {
  const one = meshOf('version: 1\nservices: { a: { port: 1, versions: { v1: {}, v2: {} } }, b: { port: 2 } }\n');
  const other = meshOf('version: 1\nservices: { b: { port: 2 }, a: { versions: { v2: {}, v1: {} }, port: 1 } }\n');
  assert.deepEqual([...other.services], [...one.services]);
});

test('an error in one item of a list neither hides nor shifts those of the others', () => {
  const text = `version: 1
services:
  web: { port: 1, calls: [7, wbe, db] }
  db: { port: 70000 }
edges:
  main:
    listeners: [{ port: x }, { port: 8080, address: nowhere }]
    routes:
      - { match: 5, to: web }
      - { match: /a, to: wbe }
`;
  assert.deepEqual(errorsOf(text), [
    '3:27 services.web.calls[0]',
    '3:30 services.web.calls[1]',
    '4:15 services.db.port',
    '7:25 edges.main.listeners[0].port',
    '7:53 edges.main.listeners[1].address',
    '9:18 edges.main.routes[0].match',
    '10:26 edges.main.routes[1].to',
  ]);
});

test('a name is not called unknown where a file could not be read', () => {
  const result = parse([
    { name: 'a.yaml', text: 'version: 1\nservices: { web: { port: 1, calls: [db] } }\n' },
    { name: 'b.yaml', text: 'version: 1\nservices: { db: { port: 1 }\n' },
  ]);
  assert.ok(!result.ok);
  assert.deepEqual(
    result.error.map((error) => error.file),
    ['b.yaml'],
  );
});

test('a text is refused from one character over a mebibyte', () => {
  const comment = `version: 1\n#${'x'.repeat(2 ** 20 - 13)}\n`;
  assert.equal(comment.length, 2 ** 20);
  assert.equal(parse([{ name: 'a.yaml', text: comment }]).ok, true);
  assert.equal(parse([{ name: 'a.yaml', text: `${comment}#` }]).ok, false);
});

test('nesting of any depth is refused quickly and without a crash', () => {
  for (const bomb of ['[', '- ', '{a: ', '? ']) {
    const result = parse([{ name: 'a.yaml', text: bomb.repeat(100_000) }]);
    assert.ok(!result.ok);
    assert.match(result.error[0]?.message ?? '', /nested deeper than 64/);
  }
});

test('of thousands of errors the first hundreds are told, in reasonable time', () => {
  const services = Array.from({ length: 3000 }, (_, index) => `  s${index}: { port: 1, calls: [x${index}] }\n`);
  const result = parse([{ name: 'a.yaml', text: `version: 1\nservices:\n${services.join('')}` }]);
  assert.ok(!result.ok);
  assert.equal(result.error.length, 500);
});

test('keys that mean something to JavaScript are keys like any other', () => {
  assert.deepEqual(errorsOf('version: 1\n__proto__: {}\nservices: { constructor: { port: 1 }, __proto__: {} }\n'), [
    '2:1 __proto__',
    '3:39 services.__proto__',
  ]);
  const mesh = meshOf('version: 1\nservices: { constructor: { port: 1, calls: [tostring] }, tostring: { port: 2 } }\n');
  assert.deepEqual([...mesh.services.keys()], ['constructor', 'tostring']);
});

test('no text makes the parser throw, and every error lies within the text', () => {
  const example = readFileSync(new URL('../../../golden/config/everything-at-once.txt', import.meta.url), 'utf8');
  const input = example.split('\n----------\n')[0] ?? '';
  const words = input.split(/(?<=[\s{}[\],:])/);
  const mutated = fc
    .array(
      fc.tuple(
        fc.nat(words.length - 1),
        fc.constantFrom('', '{', '}', '[', ']', ': ', '\n', '*a', '&a ', '"', '7', 'null'),
      ),
      {
        maxLength: 6,
      },
    )
    .map((edits) => {
      const text = [...words];
      for (const [at, word] of edits) text[at] = word;
      return text.join('');
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string({ unit: 'binary', maxLength: 200 })), (text) => {
      const result = parse([{ name: 'a.yaml', text }]);
      if (result.ok) return;
      assert.ok(result.error.length > 0);
      const lines = text.split('\n');
      for (const { line, column, message } of result.error) {
        assert.ok(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}`);
        assert.ok(column >= 1 && column <= (lines[line - 1] ?? '').length + 2, `column ${column}`);
        assert.doesNotMatch(message, /[\n\r]/);
      }
    }),
    { numRuns: 300 },
  );
});

test('no value of any shape makes the parser throw', () => {
  const keys = ['version', 'mesh', 'services', 'edges', 'main', 'web', 'port', 'calls', 'allow', 'from', 'listeners'];
  const more = ['routes', 'match', 'to', 'rewrite', 'hosts', 'headers', 'versions', 'endpoints', 'timeout', 'path'];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'medium', maxDepth: 7 },
      fc.constantFrom<unknown>(1, 0, -1, 'web', '/a/**', 'GET /x', '', null, true, 80, 'v1', '2s', 'web@v1'),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys, ...more), tie('any'), { maxKeys: 5 }),
    ),
  })).any;
  fc.assert(
    fc.property(value, value, value, (mesh, services, edges) => {
      const text = JSON.stringify({ version: 1, mesh, services: { web: services }, edges: { main: edges } });
      const result = parse([{ name: 'a.yaml', text }]);
      assert.ok(result.ok || result.error.length > 0);
    }),
    { numRuns: 300 },
  );
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planMesh } from '../../../../../control-plane/cli/up/plan.ts';
import { Readiness } from '../../../../../control-plane/cli/up/readiness.ts';
import { listenerUrls, mainUrl, sampleCommands } from '../../../../../control-plane/cli/up/urls.ts';
import { parseConfig } from '../../../../../core/config/parse.ts';

const parsed = parseConfig([
  {
    name: 'weft.yaml',
    text: `
version: 1
mesh: { trustDomain: shop.test }
services:
  web: { port: 3000, run: node web.js, calls: [orders] }
  orders: { port: 8080, run: node orders.js, instances: 2 }
edges:
  main:
    listeners: [{ port: 0, tls: internal }, { port: 8080, address: 127.0.0.1 }]
    routes:
      - { match: "POST /orders/{id}", to: orders }
      - { match: { path: /beta/**, headers: { x-beta: "it's 1" } }, to: web }
      - { match: /**, to: web }
`,
  },
]);
assert(parsed.ok, JSON.stringify(parsed));
const plan = planMesh(parsed.value.mesh);

function readyProxy(readiness: Readiness, name: string, clusters: Record<string, number>): void {
  readiness.note(name, { kind: 'ready' });
  readiness.note(name, { kind: 'state', snapshot: 'x', clusters });
}

describe('readiness', () => {
  it('names everything that a first request would miss, and nothing once it is all there', () => {
    const readiness = new Readiness();
    assert.equal(readiness.missing(plan).length, 1 + 2 + 3 + 3);

    readyProxy(readiness, 'edge-main', { orders: 1, web: 1 });
    readyProxy(readiness, 'web-1', { orders: 2 });
    readyProxy(readiness, 'orders-1', {});
    readyProxy(readiness, 'orders-2', {});
    for (const app of ['web-1', 'orders-1']) readiness.noteApp(app, true);
    assert.deepEqual(readiness.missing(plan), [
      'edge-main sees 1 of 2 instances of orders',
      'edge-main does not listen yet (edges.main.listeners[0])',
      'edge-main does not listen yet (edges.main.listeners[1])',
      'the app of orders-2 does not accept yet',
    ]);

    readyProxy(readiness, 'edge-main', { orders: 2, web: 1 });
    readiness.note('edge-main', {
      kind: 'listening',
      ports: [
        { name: 'edge/main/0', host: '0.0.0.0', port: 8443 },
        { name: 'edge/main/1', host: '127.0.0.1', port: 8080 },
      ],
    });
    readiness.noteApp('orders-2', true);
    assert.deepEqual(readiness.missing(plan), []);

    readiness.noteProxyGone('orders-1');
    assert.deepEqual(readiness.missing(plan), ['orders-1 is not ready']);
  });
});

describe('the URLs to try', () => {
  it('are those of the bound listeners, TLS first for scripts', () => {
    const readiness = new Readiness();
    assert.equal(mainUrl(listenerUrls(plan.edges.values(), readiness)), '');
    readiness.note('edge-main', {
      kind: 'listening',
      ports: [
        { name: 'edge/main/0', host: '0.0.0.0', port: 39_000 },
        { name: 'edge/main/1', host: '127.0.0.1', port: 8080 },
      ],
    });
    const urls = listenerUrls(plan.edges.values(), readiness);
    assert.deepEqual(urls, [
      { url: 'https://localhost:39000', tls: true, http: true },
      { url: 'http://127.0.0.1:8080', tls: false, http: true },
    ]);
    assert.equal(mainUrl(urls.toReversed()), 'https://localhost:39000');
  });

  it('come as commands that a shell takes as they are', () => {
    const base = { url: 'https://localhost:8443', tls: true, http: true };
    assert.deepEqual(sampleCommands(plan.edges.values(), base, '/tmp/a b/root.pem'), [
      `curl --cacert '/tmp/a b/root.pem' -X POST https://localhost:8443/orders/42`,
      `curl --cacert '/tmp/a b/root.pem' -H 'x-beta: it'\\''s 1' https://localhost:8443/beta`,
      `curl --cacert '/tmp/a b/root.pem' https://localhost:8443/`,
    ]);
  });

  it('are none for what curl does not speak', () => {
    const text = `
version: 1
services: { greeter: { port: 9090, protocol: grpc }, site: { ports: { grpc: 1, http: 2 } } }
edges:
  main:
    listeners: [{ port: 8080 }]
    routes: [{ match: /demo.Greeter/**, to: greeter }, { match: /demo.Site/**, to: "site:grpc" }, { match: /site, to: site }]
`;
    const mixed = parseConfig([{ name: 'weft.yaml', text }]);
    assert.ok(mixed.ok, JSON.stringify(mixed));
    const base = { url: 'http://127.0.0.1:8080', tls: false, http: true };
    assert.deepEqual(sampleCommands(planMesh(mixed.value.mesh).edges.values(), base, 'root.pem'), [
      'curl http://127.0.0.1:8080/site',
    ]);
  });
});

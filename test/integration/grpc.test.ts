// gRPC from end to end, with grpc-js on both sides: through an edge, through an edge with TLS, through two sidecars.
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { before, describe, test, type TestContext } from 'node:test';
import { credentials, Metadata, status } from '@grpc/grpc-js';
import { milliseconds } from '../../core/model/brand.ts';
import type { View } from '../../core/model/view.ts';
import { InboundMode } from '../../proxy/mode/inbound.ts';
import { eventually } from '../support/eventually.ts';
import { ended, type GrpcApp, GrpcCaller, startGrpcApp } from '../support/grpc-peers.ts';
import { startHttp2Upstream } from '../support/http2-peers.ts';
import { inboundView, outboundView, startCaller } from '../support/mesh-pair.ts';
import { edgeView, type ProxyHarness, startProxy } from '../support/proxy-harness.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;

before(async () => {
  authority = await makeTestAuthority();
});

interface Path {
  readonly caller: GrpcCaller;
  /** The proxy that the caller speaks to. */
  readonly first: ProxyHarness;
  /** Other ways to the same door. */
  open(options: Readonly<Record<string, unknown>>): GrpcCaller;
}

type OpenPath = (t: TestContext, app: GrpcApp) => Promise<Path>;

async function throughEdge(t: TestContext, app: GrpcApp): Promise<Path> {
  const first = await startProxy(t, { view: edgeView([app.port], { protocol: 'grpc' }) });
  const open: Path['open'] = (options) => new GrpcCaller(t, `127.0.0.1:${first.port()}`, undefined, options);
  return { caller: open({}), first, open };
}

async function throughTlsEdge(t: TestContext, app: GrpcApp): Promise<Path> {
  const certificate = await authority.svid('edge-main');
  const first = await startProxy(t, { view: edgeView([app.port], { protocol: 'grpc', tls: 'internal' }), certificate });
  const secure = credentials.createSsl(Buffer.from(certificate.bundlePem), null, null, {
    checkServerIdentity: () => undefined,
  });
  const open: Path['open'] = (options) => new GrpcCaller(t, `127.0.0.1:${first.port()}`, secure, options);
  return { caller: open({}), first, open };
}

/** Every path, no time limit, and an app that speaks gRPC. */
function grpcInbound(): View {
  const view = inboundView();
  const [listener] = view.listeners.values();
  if (listener?.kind !== 'inbound') throw new Error('no inbound listener');
  const policy = { ...listener.policy, allow: null };
  const grpc = { ...listener, protocol: 'grpc' as const, timeout: milliseconds(0), policy };
  return { ...view, listeners: new Map([['inbound', grpc]]) };
}

function grpcOutbound(port: number): View {
  const view = outboundView([port]);
  return {
    ...view,
    clusters: new Map([...view.clusters].map(([name, cluster]) => [name, { ...cluster, protocol: 'grpc' as const }])),
  };
}

async function throughSidecars(t: TestContext, app: GrpcApp): Promise<Path> {
  const mode = new InboundMode({ address: { host: '127.0.0.1', port: 0 }, app: { host: '127.0.0.1', port: app.port } });
  const callee = await startProxy(t, {
    modes: [mode],
    identity: await authority.svid('payments'),
    view: grpcInbound(),
  });
  const first = await startCaller(t, authority, grpcOutbound(callee.port('inbound')));
  const target = `127.0.0.1:${first.port('outbound/payments')}`;
  const open: Path['open'] = (options) => new GrpcCaller(t, target, undefined, options);
  return { caller: open({}), first, open };
}

const PATHS: readonly (readonly [string, OpenPath])[] = [
  ['an edge', throughEdge],
  ['an edge with TLS', throughTlsEdge],
  ['two sidecars', throughSidecars],
];

for (const [name, openPath] of PATHS) {
  describe(`gRPC through ${name}`, () => {
    const started = async (t: TestContext): Promise<Path & { readonly app: GrpcApp }> => {
      const app = await startGrpcApp(t);
      return { app, ...(await openPath(t, app)) };
    };

    test('a unary call has its message, its metadata of both kinds and its trailers', async (t) => {
      const { app, caller, first } = await started(t);
      const metadata = new Metadata();
      metadata.set('x-own', 'a value');
      metadata.set('x-own-bin', Buffer.from([0, 1, 254, 255]));
      const outcome = await caller.unary('Unary', Buffer.from('hello'), metadata);
      assert.equal(outcome.code, status.OK, outcome.details);
      assert.equal(outcome.messages[0]?.toString(), 'hello');
      assert.deepEqual(outcome.head.get('x-head'), ['first']);
      assert.deepEqual(outcome.head.get('x-head-bin'), [Buffer.from([255, 0, 7])]);
      assert.deepEqual(outcome.trailers.get('x-trailer'), ['last']);
      assert.deepEqual(outcome.trailers.get('x-trailer-bin'), [Buffer.from([0, 255, 1])]);
      assert.deepEqual(app.metadata().get('x-own'), ['a value']);
      assert.deepEqual(app.metadata().get('x-own-bin'), [Buffer.from([0, 1, 254, 255])]);
      const [line] = await first.exchanges(1);
      assert.equal(line?.['grpcStatus'], 0);
      assert.equal(line?.['path'], '/weft.test.Echo/Unary');
    });

    test('an empty message is a message', async (t) => {
      const { caller } = await started(t);
      const outcome = await caller.unary('Unary', Buffer.alloc(0));
      assert.deepEqual([outcome.code, outcome.messages[0]?.length], [status.OK, 0]);
    });

    test('10 MiB go both ways', async (t) => {
      const { caller } = await started(t);
      const large = Buffer.alloc(10 * 1024 * 1024, 'weft');
      const outcome = await caller.unary('Unary', large);
      assert.equal(outcome.code, status.OK, outcome.details);
      assert.ok(outcome.messages[0]?.equals(large));
    });

    test('every status passes with its message and its trailers', async (t) => {
      const { caller, first } = await started(t);
      for (const code of [1, 2, 3, 5, 8, 13, 14, 16]) {
        const outcome = await caller.unary('Fail', Buffer.from(String(code)));
        assert.equal(outcome.code, code);
        assert.equal(outcome.details, 'a %-sign and ü\n');
        assert.deepEqual(outcome.trailers.get('x-trailer'), ['last']);
      }
      const lines = await first.exchanges(8);
      assert.deepEqual(
        lines.map(({ grpcStatus, attempts }) => [grpcStatus, attempts]),
        [1, 2, 3, 5, 8, 13, 14, 16].map((code) => [code, 1]),
      );
    });

    test('a method that the app does not have is UNIMPLEMENTED', async (t) => {
      const { caller } = await started(t);
      assert.equal((await caller.unary('Nowhere', Buffer.alloc(0))).code, status.UNIMPLEMENTED);
    });

    test('the app streams, the caller streams, and both do', async (t) => {
      const { caller } = await started(t);
      const counted = await ended(caller.count(Buffer.alloc(1_000, 'n')));
      assert.equal(counted.code, status.OK);
      assert.deepEqual(
        counted.messages.map(({ length }) => length),
        new Array(10).fill(1_000),
      );
      assert.deepEqual(counted.trailers.get('x-trailer'), ['last']);
      const collected = await new Promise<Buffer | undefined>((resolve) => {
        const stream = caller.collect('Collect', (_error, answer) => resolve(answer));
        for (const word of ['to', 'ge', 'ther']) stream.write(Buffer.from(word));
        stream.end();
      });
      assert.equal(collected?.toString(), 'together');
      const chat = caller.chat();
      const heard: string[] = [];
      const over = ended(chat);
      chat.on('data', (message: Buffer) => {
        heard.push(message.toString());
        if (heard.length < 5) chat.write(Buffer.from(`turn ${heard.length}`));
        else chat.end();
      });
      chat.write(Buffer.from('turn 0'));
      assert.equal((await over).code, status.OK);
      assert.deepEqual(heard, ['turn 0', 'turn 1', 'turn 2', 'turn 3', 'turn 4']);
    });

    test('an app that answers before the caller has said everything ends the call', async (t) => {
      const { caller, first } = await started(t);
      const answer = await new Promise<Buffer | undefined>((resolve) => {
        const stream = caller.collect('Hasty', (_error, hasty) => resolve(hasty));
        stream.on('error', () => {});
        stream.write(Buffer.from('enough'));
      });
      assert.equal(answer?.toString(), 'enough');
      await eventually(() => active(first) === 0);
    });

    test('a caller that cancels cancels the call at the app', async (t) => {
      const { app, caller, first } = await started(t);
      const stream = caller.count(Buffer.alloc(0));
      const over = ended(stream);
      await new Promise((heard) => void stream.once('data', heard));
      stream.cancel();
      assert.equal((await over).code, status.CANCELLED);
      await eventually(() => app.cancelled() === 1);
      const [line] = await first.exchanges(1);
      assert.deepEqual([line?.['code'], line?.['grpcStatus']], ['downstream-closed', status.CANCELLED]);
      await eventually(() => active(first) === 0);
    });

    test('a deadline reaches the app, shortened, and ends the call for both', async (t) => {
      const { app, caller } = await started(t);
      const outcome = await caller.unary('Hang', Buffer.alloc(0), undefined, { deadline: Date.now() + 300 });
      assert.equal(outcome.code, status.DEADLINE_EXCEEDED);
      assert.ok(app.left() > 0 && app.left() <= 300, String(app.left()));
      await eventually(() => app.cancelled() === 1);
    });

    test('without an app a call is UNAVAILABLE, and says by whom', async (t) => {
      const { app, caller, first } = await started(t);
      assert.equal((await caller.unary('Unary', Buffer.from('a'))).code, status.OK);
      app.stop();
      const outcome = await caller.unary('Unary', Buffer.from('b'));
      assert.equal(outcome.code, status.UNAVAILABLE);
      assert.match(outcome.details, /\((?:connect-failed|upstream-closed), request [0-9a-f]+\)$/);
      assert.equal((await first.exchanges(2))[1]?.['grpcStatus'], status.UNAVAILABLE);
    });

    test('an app that dies in the middle of a stream ends it with UNAVAILABLE', async (t) => {
      const { app, caller } = await started(t);
      const chat = caller.chat();
      const over = ended(chat);
      chat.write(Buffer.from('a'));
      await new Promise((heard) => void chat.once('data', heard));
      app.stop();
      assert.equal((await over).code, status.UNAVAILABLE);
    });
  });
}

describe('gRPC at a sidecar', () => {
  test('the callee is named by :authority on the shared port, or through the HTTP proxy of the environment', async (t) => {
    const app = await startGrpcApp(t);
    const { first } = await throughSidecars(t, app);
    const shared = `127.0.0.1:${first.port('outbound')}`;
    const byAuthority = new GrpcCaller(t, shared, undefined, { 'grpc.default_authority': 'payments' });
    assert.equal((await byAuthority.unary('Unary', Buffer.from('a'))).code, status.OK);
    // Read when a client is made. Nothing resolves this name.
    process.env['grpc_proxy'] = `http://${shared}`;
    const byProxy = new GrpcCaller(t, 'payments:8082');
    delete process.env['grpc_proxy'];
    const outcome = await byProxy.unary('Unary', Buffer.from('b'));
    assert.equal(outcome.code, status.OK, outcome.details);
  });

  test('a call to a service that this one does not call is PERMISSION_DENIED', async (t) => {
    const app = await startGrpcApp(t);
    const { first } = await throughSidecars(t, app);
    const options = { 'grpc.default_authority': 'ledger' };
    const caller = new GrpcCaller(t, `127.0.0.1:${first.port('outbound')}`, undefined, options);
    const outcome = await caller.unary('Unary', Buffer.from('a'));
    assert.equal(outcome.code, status.PERMISSION_DENIED);
    assert.match(outcome.details, /\(egress-denied, request [0-9a-f]+, decision [0-9a-f]+\)$/);
  });
});

test('a call that one instance refuses is taken by another, and is not repeated where it failed', async (t) => {
  const app = await startGrpcApp(t);
  let refused = 0;
  const full = await startHttp2Upstream(t, (stream) => {
    refused += 1;
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
  });
  const edge = await startProxy(t, { view: edgeView([full.port, app.port], { protocol: 'grpc' }) });
  const caller = new GrpcCaller(t, `127.0.0.1:${edge.port()}`);
  for (let i = 0; i < 6; i++) assert.equal((await caller.unary('Unary', Buffer.from('a'))).code, status.OK);
  assert.ok(refused > 0);
  for (let i = 0; i < 4; i++) {
    assert.equal((await caller.unary('Fail', Buffer.from('14'))).code, status.UNAVAILABLE);
  }
  assert.equal(app.calls(), 10);
});

/** Calls under way towards the app. */
function active(proxy: ProxyHarness): number {
  let sum = 0;
  for (const { pools } of proxy.proxy.clusters.states.values()) for (const pool of pools) sum += pool.active;
  return sum;
}

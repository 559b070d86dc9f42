// An exchange that carries a gRPC call: how it fails, how long it may take, which status it is recorded with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshError } from '../../../../core/kit/error.ts';
import type { RequestHead } from '../../../../proxy/exchange.ts';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { testAnswer, testHead } from '../../../support/exchange-fakes.ts';
import { recorded, runExchange } from '../../../support/running-exchange.ts';

const unreachable = (): MeshError => new MeshError('connect-failed', { origin: 'upstream', unprocessed: true });
const reset = (): MeshError => new MeshError('upstream-reset', { origin: 'upstream' });

function call(fields: Readonly<Record<string, string>> = {}, version = 20): RequestHead {
  return testHead({ 'content-type': 'application/grpc', ...fields }, { method: 'POST', bodyLength: -1, version });
}

function status(code: number, message?: string): HeaderList {
  const headers = new HeaderList();
  headers.add('grpc-status', String(code));
  if (message !== undefined) headers.add('grpc-message', message);
  return headers;
}

test('a failure of the proxy is an answer without messages that has the status in its head', () => {
  const running = runExchange(call(), { route: () => new MeshError('no-route') });
  assert.deepEqual(running.downstream.calls, ['head 200', 'end']);
  assert.equal(running.downstream.head?.bodyLength, 0);
  assert.deepEqual(running.downstream.head?.headers.fields, [
    ...['grpc-status', '12', 'grpc-message', 'no route matches (no-route, request r-1)'],
    ...['date', 'Thu, 01 Jan 1970 00:00:00 GMT', 'content-type', 'application/grpc'],
    ...['x-weft-error', 'no-route', 'x-request-id', 'r-1'],
  ]);
  recorded(running, { status: 200, grpc: 'grpc', grpcStatus: 12, code: 'no-route', flag: 'NR' });
});

test('a browser is answered in the form that it speaks, over HTTP/1.1 too', () => {
  for (const form of ['application/grpc-web', 'application/grpc-web-text']) {
    const running = runExchange(call({ 'content-type': form }, 11), { endpoints: [] });
    assert.equal(running.downstream.head?.headers.get('content-type'), `${form}+proto`);
    assert.equal(running.downstream.head?.headers.get('grpc-status'), '14');
  }
});

test('gRPC over HTTP/1.1 is refused by a service of gRPC, as HTTP, and left alone by others', () => {
  const refused = runExchange(call({}, 11), { protocol: 'grpc' });
  assert.deepEqual(refused.downstream.calls.slice(0, 1), ['head 505']);
  assert.equal(refused.downstream.head?.headers.get('x-weft-error'), 'grpc-transport');
  recorded(refused, { code: 'grpc-transport', grpc: null, grpcStatus: -1 });
  assert.equal(runExchange(call({}, 11)).cluster.requests.length, 1);
  assert.equal(runExchange(call({}, 20), { protocol: 'grpc' }).cluster.requests.length, 1);
});

test('what is left of grpc-timeout is handed on with every try', () => {
  const running = runExchange(call({ 'grpc-timeout': '1S' }));
  assert.equal(running.cluster.last.head.headers.get('grpc-timeout'), '1000m');
  running.advance(250);
  running.cluster.last.fail(unreachable());
  assert.equal(running.cluster.requests.length, 2);
  assert.equal(running.cluster.last.head.headers.get('grpc-timeout'), '750000u');
});

test('a call that is not over in time is cancelled at the app and answered DEADLINE_EXCEEDED, moving or not', () => {
  const running = runExchange(call({ 'grpc-timeout': '300m' }), { timeout: 5_000 });
  const { last } = running.cluster;
  running.advance(200);
  running.handler.onData(Buffer.from('x'));
  assert.deepEqual(last.calls, []);
  running.advance(200);
  assert.deepEqual(last.calls, ['cancel']);
  assert.equal(running.downstream.head?.headers.get('grpc-status'), '4');
  recorded(running, { code: 'upstream-timeout', flag: 'UT', grpcStatus: 4 });
});

test('a stream that runs into its deadline ends with the status in trailers', () => {
  const running = runExchange(call({ 'grpc-timeout': '300m' }));
  running.cluster.last.handler.onHead(testAnswer(200));
  running.cluster.last.handler.onData(Buffer.from('x'));
  running.advance(400);
  assert.deepEqual(running.downstream.calls, ['head 200', 'data 1', 'end']);
  assert.equal(running.downstream.trailers?.get('grpc-status'), '4');
  recorded(running, { status: 200, grpcStatus: 4, code: 'upstream-timeout' });
});

test('the shorter of grpc-timeout and the timeout of the route holds', () => {
  const running = runExchange(call({ 'grpc-timeout': '10S' }), { timeout: 300 });
  running.advance(1_000);
  assert.deepEqual(running.downstream.calls, []);
  running.handler.onEnd(null);
  running.advance(400);
  assert.deepEqual(running.downstream.calls, ['head 200', 'end']);
  recorded(running, { code: 'upstream-timeout', grpcStatus: 4 });
});

test('an app that gives up when the deadline is over has not failed in any other way', () => {
  const running = runExchange(call({ 'grpc-timeout': '50m' }));
  running.elapse(60);
  running.cluster.last.fail(new MeshError('upstream-closed', { origin: 'upstream', unprocessed: true }));
  assert.equal(running.cluster.requests.length, 1);
  assert.equal(running.downstream.head?.headers.get('grpc-status'), '4');
  recorded(running, { code: 'upstream-timeout', grpcStatus: 4 });
});

test('a call without any time left reaches nobody', () => {
  const running = runExchange(call({ 'grpc-timeout': '0m' }));
  assert.equal(running.cluster.requests.length, 0);
  recorded(running, { code: 'upstream-timeout', grpcStatus: 4, attempts: 0 });
});

test('a grpc-timeout that is none is for the app to complain about', () => {
  const running = runExchange(call({ 'grpc-timeout': 'soon' }));
  assert.equal(running.cluster.last.head.headers.get('grpc-timeout'), 'soon');
});

test('an app that dies in the middle of a stream is UNAVAILABLE in trailers', () => {
  const running = runExchange(call());
  running.cluster.last.handler.onHead(testAnswer(200));
  running.cluster.last.fail(reset());
  assert.deepEqual(running.downstream.calls, ['head 200', 'end']);
  assert.deepEqual(running.downstream.trailers?.fields.slice(0, 2), ['grpc-status', '14']);
  recorded(running, { grpcStatus: 14, code: 'upstream-reset' });
});

test('an answer of known length, or to a browser, is cut off instead', () => {
  const known = runExchange(call());
  known.cluster.last.handler.onHead({ ...testAnswer(200), bodyLength: 9 });
  known.cluster.last.fail(reset());
  assert.deepEqual(known.downstream.calls, ['head 200', 'reset']);
  const browser = runExchange(call({ 'content-type': 'application/grpc-web' }));
  browser.cluster.last.handler.onHead(testAnswer(200));
  browser.cluster.last.fail(reset());
  assert.deepEqual(browser.downstream.calls, ['head 200', 'reset']);
});

test('the status that is recorded is that of the trailers, of a head without any, or what HTTP means', () => {
  const trailers = runExchange(call());
  trailers.cluster.last.handler.onHead(testAnswer(200));
  trailers.cluster.last.handler.onEnd(status(5));
  recorded(trailers, { grpcStatus: 5, code: '' });
  const only = runExchange(call());
  only.cluster.last.handler.onHead({ ...testAnswer(200, { 'grpc-status': '8' }), bodyLength: 0 });
  only.cluster.last.handler.onEnd(null);
  recorded(only, { grpcStatus: 8 });
  const http = runExchange(call());
  http.cluster.last.handler.onHead(testAnswer(503));
  http.cluster.last.handler.onEnd(null);
  recorded(http, { status: 503, grpcStatus: 14, code: '' });
  const none = runExchange(call());
  none.cluster.last.handler.onHead(testAnswer(200));
  none.cluster.last.handler.onEnd(null);
  recorded(none, { grpcStatus: 2 });
});

test('where the app answers a call with what is no HTTP/1.1, the log says what to write into the config', () => {
  const garbled = (): MeshError =>
    new MeshError('upstream-protocol', { origin: 'upstream', detail: 'a control character' });
  const running = runExchange(call());
  running.cluster.last.fail(garbled());
  assert.match(running.records[0]?.detail ?? '', /^a control character; .*protocol: grpc$/);
  const known = runExchange(call(), { protocol: 'grpc' });
  known.cluster.last.fail(garbled());
  recorded(known, { detail: 'a control character' });
});

test('a caller that goes away cancels the call at the app', () => {
  const running = runExchange(call());
  running.handler.onAbort(new MeshError('downstream-closed', { origin: 'downstream' }));
  assert.deepEqual(running.cluster.last.calls, ['cancel']);
  recorded(running, { code: 'downstream-closed', grpcStatus: 1 });
});

test('a status that the app chose is never tried again, whatever it is', () => {
  const running = runExchange(call());
  running.cluster.last.handler.onHead({ ...testAnswer(200, { 'grpc-status': '14' }), bodyLength: 0 });
  running.cluster.last.handler.onEnd(null);
  assert.equal(running.cluster.requests.length, 1);
  recorded(running, { attempts: 1, grpcStatus: 14 });
});

test('what a sidecar says of the app behind it is its failure, in the form of gRPC too', () => {
  const running = runExchange(call(), { kind: 'mesh' });
  const marked = testAnswer(200, { 'grpc-status': '14', 'x-weft-unprocessed': '1' });
  running.cluster.last.handler.onHead({ ...marked, bodyLength: 0 });
  assert.equal(running.cluster.requests.length, 2);
  assert.deepEqual(running.downstream.calls, ['resume']);
});

// gRPC's words on HTTP: content types, time limits, statuses, messages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encodeGrpcMessage,
  formatGrpcTimeout,
  grpcForm,
  grpcStatusOfHttp,
  parseGrpcStatus,
  parseGrpcTimeout,
} from '../../../../core/decide/grpc.ts';
import { ERRORS } from '../../../../core/kit/error-table.ts';

test('the content type says whether a message is gRPC, and of which kind', () => {
  const table: readonly (readonly [string, ReturnType<typeof grpcForm>])[] = [
    ['application/grpc', 'grpc'],
    ['application/grpc+proto', 'grpc'],
    ['application/grpc;charset=utf-8', 'grpc'],
    ['Application/GRPC+json', 'grpc'],
    ['application/grpc-web', 'grpc-web'],
    ['application/grpc-web+proto', 'grpc-web'],
    ['application/grpc-web-text', 'grpc-web-text'],
    ['application/grpc-web-text+proto; x=y', 'grpc-web-text'],
    ['application/grpcx', null],
    ['application/grpc-webby', null],
    ['application/grpc-web-texture', null],
    ['application/grp', null],
    ['application/json', null],
    ['', null],
  ];
  for (const [type, form] of table) assert.equal(grpcForm(type), form, type);
});

test('grpc-timeout is one to eight digits and a unit, and nothing else', () => {
  const table: readonly (readonly [string, number | null])[] = [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['15S', 15_000],
    ['250m', 250],
    ['99999999m', 99_999_999],
    ['1500u', 1.5],
    ['1000000n', 1],
    ['0S', 0],
    ['123456789S', null],
    ['1s', null],
    ['S', null],
    ['1', null],
    ['-1S', null],
    ['1.5S', null],
    [' 1S', null],
    ['1S, 2S', null],
    ['', null],
  ];
  for (const [text, ms] of table) {
    const parsed = parseGrpcTimeout(text);
    if (ms === null || parsed === null) assert.equal(parsed, ms, text);
    else assert.ok(Math.abs(parsed - ms) < 1e-9, text);
  }
});

test('a time limit that is handed on is never longer than a millisecond more, nor much shorter', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e10, noNaN: true }), (ms) => {
      const handedOn = parseGrpcTimeout(formatGrpcTimeout(ms));
      assert.ok(handedOn !== null, formatGrpcTimeout(ms));
      if (ms < 1_000) assert.ok(handedOn <= ms && handedOn > ms - 0.0011);
      else if (ms <= 99_999_999) assert.ok(handedOn >= ms && handedOn < ms + 1);
      else assert.ok(handedOn >= ms && handedOn < ms + 1_000);
    }),
  );
  assert.equal(formatGrpcTimeout(4_999.7), '5000m');
  assert.equal(formatGrpcTimeout(-3), '0u');
  assert.equal(formatGrpcTimeout(99_999_999 * 3_600_000), '99999999H');
});

test('a status outside of 0 to 16 is UNKNOWN', () => {
  for (let status = 0; status <= 16; status++) assert.equal(parseGrpcStatus(String(status)), status);
  for (const text of ['17', '99', '100', '-1', '', 'OK', '1 ']) assert.equal(parseGrpcStatus(text), 2, text);
});

test('an answer without grpc-status means what the mapping of gRPC says', () => {
  const table = { 200: 2, 400: 13, 401: 16, 403: 7, 404: 12, 408: 2, 429: 14, 500: 2, 502: 14, 503: 14, 504: 14 };
  for (const [status, grpc] of Object.entries(table)) assert.equal(grpcStatusOfHttp(Number(status)), grpc, status);
});

test('the statuses of errors that Weft makes itself are those of that mapping, or better known here', () => {
  const ours: Record<string, number> = {
    // CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNIMPLEMENTED say more than UNKNOWN and UNAVAILABLE.
    'request-timeout': 4,
    'uri-too-long': 13,
    'headers-too-large': 8,
    'body-too-large': 8,
    'expectation-failed': 13,
    'not-implemented': 12,
    'version-not-supported': 12,
    'grpc-transport': 12,
    'downstream-closed': 1,
    'upstream-protocol': 13,
    'upstream-timeout': 4,
    'per-try-timeout': 4,
    'stream-idle': 4,
    internal: 13,
  };
  for (const [code, { http, grpc }] of Object.entries(ERRORS)) {
    if (http !== 0) assert.equal(grpc, ours[code] ?? grpcStatusOfHttp(http), code);
  }
});

test('a message is visible ASCII, and decodes to what it was', () => {
  assert.equal(encodeGrpcMessage('50 % of "ä"\n'), '50 %25 of "%C3%A4"%0A');
  assert.equal(encodeGrpcMessage('\u007f\ud800'), '%7F%EF%BF%BD');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const encoded = encodeGrpcMessage(text);
      assert.match(encoded, /^[ -~]*$/);
      assert.equal(decodeURIComponent(encoded), text.toWellFormed());
    }),
  );
});

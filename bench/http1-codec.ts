// What the HTTP/1.1 codec itself costs per message, without sockets: `node bench/http1-codec.ts`, some
// seconds. The figures are the best of several rounds, in nanoseconds of CPU.
import { FieldParser } from '../proxy/http1/fields.ts';
import { HeadReader } from '../proxy/http1/head-reader.ts';
import { SERVER_LIMITS } from '../proxy/http1/limits.ts';
import { RequestHeadParser } from '../proxy/http1/request-head.ts';
import { ResponseHeadParser } from '../proxy/http1/response-head.ts';
import { requestHead, responseHead } from '../proxy/http1/write-head.ts';

const ROUNDS = 8;
const CALLS = 100_000;

const request = Buffer.from(
  'GET /api/v2/orders/42?expand=lines HTTP/1.1\r\nHost: api.shop.test:8080\r\n' +
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: application/json, text/plain, */*\r\n' +
    'Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\nConnection: keep-alive\r\n' +
    'Cookie: session=0123456789abcdef0123456789abcdef\r\nX-Request-Id: 0123456789abcdef\r\n\r\n',
  'latin1',
);
const response = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nDate: Sun, 22 Nov 2026 09:00:00 GMT\r\n' +
    'Cache-Control: no-store\r\nETag: "0123456789abcdef"\r\nContent-Length: 5\r\n\r\nhello',
  'latin1',
);

const fields = new FieldParser(SERVER_LIMITS);
const requests = new HeadReader('request', SERVER_LIMITS);
const responses = new HeadReader('response', SERVER_LIMITS);
const requestParser = new RequestHeadParser(fields, SERVER_LIMITS, 'http');
const responseParser = new ResponseHeadParser(fields, SERVER_LIMITS);

function readRequest() {
  requests.read(request, 0);
  const head = requestParser.parse(requests.text, requests.end);
  if (head === null) throw new Error(requestParser.detail);
  return head;
}

function readResponse() {
  responses.read(response, 0);
  const head = responseParser.parse(responses.text, responses.end, 'GET');
  if (head === null) throw new Error(responseParser.detail);
  return head;
}

/** Keeps the optimiser from dropping what is measured. */
let sink: unknown = null;

function measure(what: string, call: () => unknown): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const began = process.cpuUsage();
    for (let i = 0; i < CALLS; i++) sink = call();
    const { user, system } = process.cpuUsage(began);
    best = Math.min(best, ((user + system) * 1_000) / CALLS);
  }
  process.stdout.write(`${what.padEnd(44)}${best.toFixed(0).padStart(6)} ns\n`);
}

measure(`read a request head (${request.length} bytes, 8 fields)`, readRequest);
measure('read it and write it', () => {
  const { method, target, authority, headers } = readRequest();
  return requestHead(method, target, authority, headers, '');
});
measure(`read a response head (${response.length} bytes, 5 fields)`, readResponse);
measure('read it and write it', () => {
  const { status, reason, headers } = readResponse();
  return responseHead(status, reason, headers, 'Content-Length: 5\r\n');
});
if (sink === null) process.exitCode = 1;

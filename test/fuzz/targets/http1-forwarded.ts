// What the HTTP/1.1 codec accepts and writes again is one message for the next reader, the same one: smuggling is when it is not.
import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { HeaderList } from '../../../proxy/kit/header-list.ts';
import { ClientHarness, type SeenAnswer } from '../../unit/proxy/http1/client-harness.ts';
import { NodeRequestParser, parseNodeResponse } from '../../unit/proxy/http1/llhttp.ts';
import { ServerHarness, type SeenRequest } from '../../unit/proxy/http1/server-harness.ts';
import { makeAnswer, makeRequests } from '../http1-corpus.ts';
import type { FuzzTarget } from '../target.ts';

export function http1ForwardedRequests(): FuzzTarget {
  const node = new NodeRequestParser();
  return {
    name: 'http1-forwarded-requests',
    batch: 64,
    limit: 5_000,
    make: makeRequests,
    check: async (input) => {
      const server = new ServerHarness();
      server.socket.feed(input);
      const accepted = server.requests.filter(({ ended, head }) => ended && METHODS.includes(head.method));
      // One after the other, as on a pooled connection.
      const written = accepted.filter(({ head }) => head.upgrade === '').map(forward);
      const { messages } = await node.parse(Buffer.concat(written.map(({ bytes }) => bytes)));
      assert.equal(messages.length, written.length);
      for (const [index, { request }] of written.entries()) {
        const seen = messages[index];
        assert.ok(seen?.complete);
        assert.equal(seen.method, request.head.method);
        assert.equal(seen.url, request.head.target);
        assert.equal(seen.body, request.body);
      }
    },
    close: () => node.close(),
  };
}

export function http1ForwardedAnswers(): FuzzTarget {
  return {
    name: 'http1-forwarded-answers',
    batch: 64,
    limit: 5_000,
    make: makeAnswer,
    check: async (input, random) => {
      const method = random() < 0.15 ? 'HEAD' : 'GET';
      const client = new ClientHarness();
      const { answer } = client.request({ method });
      client.socket.feed(input);
      if (!client.socket.destroyed) client.socket.feedEnd();
      if (!answer.ended || answer.head === null) return;
      const { messages } = await parseNodeResponse(answerAgain(answer, method), method);
      const [seen] = messages;
      assert.ok(messages.length === 1 && seen?.complete);
      assert.equal(seen.status, answer.head.status);
      assert.equal(seen.body, answer.body);
    },
  };
}

interface Written {
  readonly request: SeenRequest;
  readonly bytes: Buffer;
}

function forward(request: SeenRequest): Written {
  const { head, body, trailers } = request;
  const client = new ClientHarness();
  const authority = head.authority === '' ? 'service' : head.authority;
  const { upstream, answer } = client.send({ ...head, authority });
  upstream.sendData(Buffer.from(body, 'latin1'));
  upstream.sendEnd(listOf(trailers));
  assert.equal(answer.error, null);
  return { request, bytes: Buffer.concat(client.socket.writes) };
}

/** To a client of HTTP/1.1. */
function answerAgain({ head, body, trailers }: SeenAnswer, method: string): Buffer {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
  const { downstream } = server.last;
  if (head !== null) downstream.sendHead(head);
  downstream.sendData(Buffer.from(body, 'latin1'));
  downstream.sendEnd(listOf(trailers));
  return Buffer.concat(server.socket.writes);
}

function listOf(fields: readonly string[] | null): HeaderList | null {
  if (fields === null) return null;
  const list = new HeaderList();
  for (let i = 0; i < fields.length; i += 2) list.add(fields[i] as string, fields[i + 1] as string);
  return list;
}

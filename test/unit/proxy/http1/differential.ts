// Compares the codec with llhttp on one input: whatever the codec accepts, llhttp accepts with the same
// framing. The codec may refuse more (see docs of its parsers), never less.
import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { NOT_PER_HOP } from '../../../../proxy/http1/fields.ts';
import { ClientHarness } from './client-harness.ts';
import { type NodeMessage, type NodeRequestParser, parseNodeResponse } from './llhttp.ts';
import { ServerHarness } from './server-harness.ts';

const HOP = new Set(
  'connection content-length expect host http2-settings keep-alive proxy-connection te transfer-encoding upgrade'.split(
    ' ',
  ),
);

/** End-to-end fields, as text, of raw header pairs. */
function endToEnd(raw: readonly string[], message: NodeMessage): string[] {
  const named = new Set<string>();
  for (let i = 0; i < message.rawHeaders.length; i += 2) {
    if (message.rawHeaders[i]?.toLowerCase() !== 'connection') continue;
    for (const option of (message.rawHeaders[i + 1] ?? '').split(',')) named.add(option.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (HOP.has(name) || (named.has(name) && !NOT_PER_HOP.has(name))) continue;
    kept.push(`${raw[i]}: ${raw[i + 1]}`);
  }
  return kept;
}

function pairs(fields: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'te' || fields[i + 1] !== 'trailers') lines.push(`${fields[i]}: ${fields[i + 1]}`);
  }
  return lines;
}

function originForm(url: string): string {
  const absolute = /^https?:\/\/[^/?]*(.*)$/i.exec(url);
  if (absolute === null) return url;
  const rest = absolute[1] as string;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

export interface Comparison {
  /** Messages that both accept. */
  readonly accepted: number;
  /** Why the codec refuses the next one, where llhttp takes it; '' where it does not. */
  readonly stricter: string;
}

export async function compareRequests(text: string, node: NodeRequestParser): Promise<Comparison> {
  const bytes = Buffer.from(text, 'latin1');
  const server = new ServerHarness();
  // A copy: the codec moves small chunks together within what was read.
  server.socket.feed(Buffer.from(bytes));
  const opinion = await node.parse(bytes);
  const accepted = server.requests.filter((request) => request.ended);
  for (const [i, { head, body, trailers }] of accepted.entries()) {
    // llhttp knows a list of methods; RFC 9110 §9.1 lets them be any token.
    if (!METHODS.includes(head.method)) return { accepted: i, stricter: '' };
    const theirs = opinion.messages[i];
    assert.ok(theirs !== undefined && theirs.complete, `llhttp did not accept request ${i}`);
    assert.equal(head.method, theirs.method);
    if (head.target !== '*') assert.equal(head.target, originForm(theirs.url));
    assert.equal(body, theirs.body);
    assert.deepEqual(pairs(head.headers.fields), endToEnd(theirs.rawHeaders, theirs));
    // llhttp takes a Connection field among the trailers for one of the head, and closes.
    if (theirs.rawTrailers.some((name) => name.toLowerCase() === 'connection')) return { accepted: i, stricter: '' };
    // Node waits for what becomes of an upgrade; where it is refused, the next request follows.
    if (theirs.rawHeaders.some((name) => name.toLowerCase() === 'upgrade')) return { accepted: i, stricter: '' };
    for (const line of pairs(trailers ?? [])) assert.ok(endToEnd(theirs.rawTrailers, theirs).includes(line));
  }
  const refused = server.refusals[0] ?? server.requests[accepted.length]?.aborted ?? null;
  const taken = opinion.messages[accepted.length]?.complete === true;
  return { accepted: accepted.length, stricter: refused !== null && taken ? refused.detail : '' };
}

export async function compareResponses(text: string, method: string): Promise<Comparison> {
  const bytes = Buffer.from(text, 'latin1');
  const client = new ClientHarness();
  const { answer } = client.request({ method });
  client.socket.feed(Buffer.from(bytes));
  if (!client.socket.destroyed) client.socket.feedEnd();
  // llhttp does not read on after an informational answer that says `Connection: close`.
  if (answer.informational.length > 0) return { accepted: 0, stricter: '' };
  const opinion = await parseNodeResponse(bytes, method);
  const theirs = opinion.messages[0];
  if (!answer.ended) return { accepted: 0, stricter: theirs?.complete === true ? (answer.error?.detail ?? '') : '' };
  assert.ok(theirs !== undefined && theirs.complete, 'llhttp did not accept the answer');
  assert.equal(answer.head?.status, theirs.status);
  assert.equal(answer.body, theirs.body);
  assert.deepEqual(pairs(answer.head?.headers.fields ?? []), endToEnd(theirs.rawHeaders, theirs));
  return { accepted: 1, stricter: '' };
}

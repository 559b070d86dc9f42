// One request to the API of a control plane: over its Unix socket, or over mutual TLS with the identity of the other side
// checked. What comes back is bounded in size and time.
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { describeError, MeshError } from '../../../core/kit/error.ts';
import { controlPlaneId } from '../../../certs/policy/names.ts';
import { verifyPeer } from '../../../certs/spiffe/peer.ts';
import { isErrno } from '../../../host/files.ts';
import type { ApiTarget } from './target.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  /** Sent as JSON; null: none. */
  readonly body?: object | null;
  /** Hash of the snapshot that must be in force; else nothing is changed. */
  readonly ifMatch?: string | null;
}

export interface ApiReply {
  readonly status: number;
  readonly text: string;
}

/** Characters of an answer, and milliseconds of silence. */
const MOST = { characters: 64 * 1024 * 1024, silence: 60_000 } as const;

/** Throws MeshError `control-plane-unreachable` or `operator-refused`. */
export async function exchange(target: ApiTarget, asking: ApiRequest): Promise<ApiReply> {
  const { answer, request } = await open(target, asking);
  let text = '';
  answer.setEncoding('utf8');
  try {
    for await (const chunk of answer as AsyncIterable<string>) {
      text += chunk;
      if (text.length > MOST.characters) request.destroy(new Error('the answer is too long'));
    }
  } catch (cause) {
    throw unreachable(target, cause);
  }
  return { status: answer.statusCode ?? 0, text };
}

/** Resolves with the head; the body is the caller's to read. Throws as `exchange` does. */
export async function open(
  target: ApiTarget,
  asking: ApiRequest,
): Promise<{ readonly answer: IncomingMessage; readonly request: ClientRequest }> {
  const { method, path, body = null, ifMatch = null } = asking;
  const payload = body === null ? null : JSON.stringify(body);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (payload !== null) headers['content-type'] = 'application/json';
  if (ifMatch !== null) headers['if-match'] = `"${ifMatch}"`;
  const options = { method, path, headers, timeout: MOST.silence, agent: false } as const;
  return new Promise((done, fail) => {
    const request = begin(target, options);
    request.once('response', (answer) => done({ answer, request }));
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', (cause) => fail(unreachable(target, cause)));
    request.end(payload ?? undefined);
  });
}

function begin(target: ApiTarget, options: RequestOptions): ClientRequest {
  // Not by import: a module namespace of node:http reads its every getter, and one of them loads undici.
  if (target.kind === 'socket') {
    return process.getBuiltinModule('node:http').request({ ...options, socketPath: target.path });
  }
  const { address, cert, key, ca, trustDomain } = target;
  return process.getBuiltinModule('node:https').request({
    ...options,
    ...{ host: address.host, port: address.port, cert, key, ca, minVersion: 'TLSv1.3' },
    servername: SERVER_NAME,
    checkServerIdentity: (name, certificate) => identityProblem(name, certificate, trustDomain),
  });
}

/** The DNS name in the control plane's own certificate. */
const SERVER_NAME = 'weft-control-plane';

/** The chain is verified already. An edge's certificate may have any DNS name: the identity decides. */
function identityProblem(name: string, certificate: PeerCertificate, trustDomain: string): Error | undefined {
  const peer = verifyPeer(certificate.raw, { trustDomain, identity: controlPlaneId(trustDomain) });
  return peer.ok ? checkServerIdentity(name, certificate) : new Error(`not a control plane: ${peer.error}`);
}

const STARTED = 'the API is where the control plane was told by its own --api HOST:PORT';

function unreachable(target: ApiTarget, cause: unknown): MeshError {
  const fault = (detail: string, hint: string) => new MeshError('control-plane-unreachable', { detail, hint, cause });
  if (target.kind === 'socket') {
    const hint = 'start it, name its state folder with --dir, or one far away with --api';
    if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ECONNREFUSED')) return fault(`none runs at ${target.path}`, hint);
    if (isErrno(cause, 'EACCES')) return fault(`${target.path} may be opened by its owner only`, 'become that user');
    return fault(`${target.path}: ${describeError(cause)}`, hint);
  }
  const where = `${target.address.host}:${target.address.port}`;
  const reason = describeError(cause);
  if (/alert certificate|certificate (required|expired|unknown)|unknown ca/i.test(reason)) {
    return new MeshError('operator-refused', {
      detail: `${where} does not take this certificate`,
      hint: 'is it of the authority of this mesh, and do both clocks agree?',
      cause,
    });
  }
  if (isErrno(cause, 'ECONNREFUSED')) return fault(`nothing listens at ${where}`, STARTED);
  if (/wrong version number|packet length too long/i.test(reason)) return fault(`${where} speaks no TLS`, STARTED);
  const tls = /self-signed|unable to (get|verify)|certificate|not a control plane/i.test(reason);
  return fault(`${where}: ${reason}`, tls ? 'is --ca the root of this mesh?' : STARTED);
}

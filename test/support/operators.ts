// Operators of a control plane that runs in a test: certificates, and requests to its API as raw as a stranger's.
import { randomBytes } from 'node:crypto';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openAuthority } from '../../certs/authority/authority-folder.ts';
import type { IssuedCertificate } from '../../certs/authority/authority.ts';
import type { Role } from '../../certs/policy/operator.ts';
import { generateKeyPair, privateKeyPem } from '../../certs/x509/key.ts';
import { certificatesPem } from '../../certs/x509/pem.ts';
import { API_SOCKET } from '../../host/control-plane-settings.ts';
import type { RunningControlPlane } from './running-control-plane.ts';

/** All PEM. */
export interface Papers {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

type Authority = Awaited<ReturnType<typeof openAuthority>>;

const ambient = { clock: () => Date.now(), random: (size: number) => randomBytes(size) };

/** Signed by the authority of the control plane; `sign` may ask it for anything else than an operator. */
export async function papersOf(
  { folder }: Pick<RunningControlPlane, 'folder'>,
  sign: (
    authority: Authority,
    publicKey: ReturnType<typeof generateKeyPair>['publicKey'],
  ) => Promise<IssuedCertificate>,
): Promise<Papers> {
  const authority = await openAuthority(join(folder, 'ca'), ambient);
  const keys = generateKeyPair();
  const issued = await sign(authority, keys.publicKey);
  return {
    cert: certificatesPem(issued.chain),
    key: privateKeyPem(keys.privateKey),
    ca: certificatesPem(issued.bundle),
  };
}

/** `life`: ms; below 0 it has expired. */
export function operatorPapers(
  running: Pick<RunningControlPlane, 'folder'>,
  role: Role,
  { name = role, life = 3_600_000 }: { readonly name?: string; readonly life?: number } = {},
): Promise<Papers> {
  return papersOf(running, async (authority, publicKey) => authority.signOperator({ publicKey, name, role, life }));
}

export interface RawReply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** null: it is no JSON. */
  readonly json: unknown;
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Over the Unix socket. */
export function askSocket({ folder }: Pick<RunningControlPlane, 'folder'>, asked: RawRequest): Promise<RawReply> {
  const socketPath = join(folder, 'control-plane', API_SOCKET);
  return ask((options) => httpRequest({ ...options, socketPath }), asked);
}

/** Over mutual TLS. `papers` null: without a certificate. */
export function askTls(
  running: Pick<RunningControlPlane, 'port'>,
  papers: Partial<Papers> & Pick<Papers, 'ca'>,
  asked: RawRequest,
): Promise<RawReply> {
  const { host, port } = running.port('api');
  const tls = { ...papers, host, port, servername: 'weft-control-plane' };
  return ask((options) => httpsRequest({ ...options, ...tls }), asked);
}

function ask(begin: (options: RequestOptions) => ReturnType<typeof httpRequest>, asked: RawRequest): Promise<RawReply> {
  const { method = 'GET', path, headers = {}, body } = asked;
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((done, fail) => {
    const request = begin({ method, path, headers: { ...type, ...headers }, agent: false });
    request.once('error', fail);
    request.once('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.once('error', fail);
      answer.once('end', () =>
        done({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: parsed(text) }),
      );
    });
    request.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A server with a certificate of the mesh for the control plane's name, as an edge of that host has one. Its port. */
export async function makeEdgeImpostor(t: TestContext, running: Pick<RunningControlPlane, 'folder'>): Promise<number> {
  const { cert, key } = await papersOf(running, async (authority, publicKey) =>
    authority.signServerCertificate({ publicKey, hosts: ['weft-control-plane'] }),
  );
  const server = createServer({ cert, key }, (_request, response) => response.end('{"items":[]}'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  // A TCP server's address is one.
  return (server.address() as AddressInfo).port;
}

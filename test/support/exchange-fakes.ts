// The parts around an exchange, for units: heads, records, a client and endpoints that a test drives.
import type { MeshError } from '../../core/kit/error.ts';
import { ruleId } from '../../core/model/brand.ts';
import type { Cluster } from '../../core/model/view.ts';
import type {
  ClusterHandle,
  ConnectionInfo,
  Downstream,
  EndpointHandle,
  ExchangeRecord,
  RequestHead,
  ResponseHead,
  Upstream,
  UpstreamHandler,
} from '../../proxy/exchange.ts';
import { HeaderList } from '../../proxy/kit/header-list.ts';
import type { Tunnel } from '../../proxy/kit/tunnel.ts';

export function testConnection(): ConnectionInfo {
  return {
    listener: 'edge/main/0',
    peer: null,
    remoteAddress: '192.0.2.7',
    remotePort: 4_711,
    scheme: 'https',
    serverName: '',
  };
}

export interface HeadOptions {
  readonly method?: string;
  readonly version?: number;
  readonly target?: string;
  readonly authority?: string;
  readonly bodyLength?: number;
}

export function testHead(fields: Readonly<Record<string, string>> = {}, options: HeadOptions = {}): RequestHead {
  const headers = new HeaderList();
  for (const [name, value] of Object.entries(fields)) headers.add(name, value);
  return {
    method: options.method ?? 'GET',
    target: options.target ?? '/',
    authority: options.authority ?? 'api.shop.test',
    scheme: 'https',
    version: options.version ?? 11,
    headers,
    bodyLength: options.bodyLength ?? 0,
    upgrade: '',
    expectContinue: false,
  };
}

export function testAnswer(status: number, fields: Readonly<Record<string, string>> = {}): ResponseHead {
  const headers = new HeaderList();
  for (const [name, value] of Object.entries(fields)) headers.add(name, value);
  return { status, reason: '', headers, bodyLength: -1, declaredLength: -1 };
}

export function testRecord(values: Partial<ExchangeRecord> = {}): ExchangeRecord {
  return {
    connection: testConnection(),
    client: '',
    method: 'GET',
    target: '/',
    authority: 'api.shop.test',
    status: 200,
    flag: '-',
    grpc: null,
    grpcStatus: -1,
    code: '',
    traceId: 't',
    requestId: 'r',
    route: '',
    cluster: '',
    endpoint: '',
    rule: '',
    decisionId: '',
    attempts: 1,
    requestBytes: 0,
    responseBytes: 0,
    startedAt: 0,
    firstByteAt: 0,
    finishedAt: 0,
    detail: '',
    ...values,
  };
}

/** A client: what it was sent, in order, as short words. */
export class FakeDownstream implements Downstream {
  readonly connection = testConnection();
  readonly calls: string[] = [];
  head: ResponseHead | null = null;
  trailers: HeaderList | null = null;
  body = '';
  /** False: the client reads nothing for now. */
  writable = true;

  sendInformational(status: number): void {
    this.calls.push(`informational ${status}`);
  }

  sendHead(head: ResponseHead): void {
    this.head = head;
    this.calls.push(`head ${head.status}`);
  }

  sendData(chunk: Buffer): boolean {
    this.body += chunk.toString();
    this.calls.push(`data ${chunk.length}`);
    return this.writable;
  }

  sendEnd(trailers: HeaderList | null): void {
    this.trailers = trailers;
    this.calls.push('end');
  }

  sendUpgrade(): Tunnel {
    throw new Error('no tunnel in units');
  }

  reset(): void {
    this.calls.push('reset');
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }
}

/** One request at a fake endpoint. */
export class FakeUpstream implements Upstream {
  readonly endpoint: string;
  readonly head: RequestHead;
  readonly handler: UpstreamHandler;
  readonly fresh: boolean;
  readonly calls: string[] = [];
  body = '';
  writable = true;

  constructor(endpoint: string, handler: UpstreamHandler, fresh: boolean, head: RequestHead = testHead()) {
    this.endpoint = endpoint;
    this.head = head;
    this.handler = handler;
    this.fresh = fresh;
  }

  sendData(chunk: Buffer): boolean {
    this.body += chunk.toString();
    return this.writable;
  }

  sendEnd(): void {
    this.calls.push('end');
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  cancel(): void {
    this.calls.push('cancel');
  }

  fail(error: MeshError): void {
    this.handler.onError(error);
  }
}

/** A cluster whose endpoints take turns; every request is kept. */
export class FakeCluster implements ClusterHandle {
  readonly cluster: Cluster;
  readonly requests: FakeUpstream[] = [];
  readonly #endpoints: readonly EndpointHandle[];
  #turn = 0;

  constructor(cluster: Cluster, endpoints: readonly string[]) {
    this.cluster = cluster;
    this.#endpoints = endpoints.map((id) => ({
      id,
      address: id,
      ruleId: ruleId('services.up'),
      request: (head: RequestHead, handler: UpstreamHandler, fresh: boolean) => {
        const upstream = new FakeUpstream(id, handler, fresh, head);
        this.requests.push(upstream);
        return upstream;
      },
      connect: () => () => {},
    }));
  }

  pick(previous: EndpointHandle | null): EndpointHandle | null {
    const others = this.#endpoints.filter((endpoint) => endpoint !== previous);
    if (others.length === 0) return previous;
    return others[this.#turn++ % others.length] ?? null;
  }

  /** The newest request. */
  get last(): FakeUpstream {
    const last = this.requests.at(-1);
    if (last === undefined) throw new Error('nothing was requested');
    return last;
  }
}

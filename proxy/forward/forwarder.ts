// The entry of every exchange: server codecs of one listener call it. The plan is read once per
// exchange, so that a view swap leaves the ones under way on the plan that they began with.
import { ERRORS } from '../../core/kit/error-table.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { ListenerLimits } from '../../core/model/listener.ts';
import type { ConnectionInfo, Downstream, DownstreamHandler, ExchangeRecord, RequestHead } from '../exchange.ts';
import { HeaderList } from '../kit/header-list.ts';
import { Exchange, type ExchangeDeps } from './exchange.ts';
import { callForm } from './grpc-call.ts';
import type { ExchangePlan } from './plan.ts';
import { respondError } from './respond.ts';

export class Forwarder {
  readonly #deps: ExchangeDeps;
  #plan: ExchangePlan;

  constructor(deps: ExchangeDeps, plan: ExchangePlan) {
    this.#deps = deps;
    this.#plan = plan;
  }

  /** Exchanges that begin from now on follow this plan. */
  swap(plan: ExchangePlan): void {
    this.#plan = plan;
  }

  /** Of the listener, for a connection that begins now. */
  get limits(): ListenerLimits {
    return this.#plan.limits;
  }

  /** A RequestListener. */
  readonly onRequest = (downstream: Downstream, head: RequestHead): DownstreamHandler => {
    const record = newRecord(downstream.connection, head.method, head.target, head.authority, this.#deps.now());
    record.grpc = callForm(head, downstream.connection);
    const exchange = new Exchange(this.#deps, this.#plan, downstream, head, record);
    exchange.begin();
    return exchange;
  };

  /** Which of the listener's tunnels a CONNECT leads to; null: it was refused, and answered. */
  readonly onConnect = (downstream: Downstream, head: RequestHead): string | null => {
    const record = newRecord(downstream.connection, head.method, head.target, head.authority, this.#deps.now());
    const plan = this.#plan;
    plan.identify(head, record);
    const to = plan.connect?.(head, downstream.connection, record) ?? new MeshError('not-implemented');
    if (to instanceof MeshError) {
      this.#refuse(downstream, to, record, plan);
      return null;
    }
    // What goes through it is recorded by itself.
    record.status = 200;
    record.finishedAt = this.#deps.now();
    plan.record(record);
    return to;
  };

  /** A RefusalListener: a head that was no HTTP is answered, counted and logged like the rest. */
  readonly onRefused = (downstream: Downstream, error: MeshError): void => {
    const record = newRecord(downstream.connection, '', '', '', this.#deps.now());
    const plan = this.#plan;
    // Who quotes the answer's request id must find it in the log.
    plan.identify(unreadHead(), record);
    this.#refuse(downstream, error, record, plan);
  };

  #refuse(downstream: Downstream, error: MeshError, record: ExchangeRecord, plan: ExchangePlan): void {
    respondError(downstream, error, record, plan, this.#deps.date);
    record.flag = ERRORS[error.code].flag;
    record.code = error.code;
    record.detail = error.detail;
    record.finishedAt = this.#deps.now();
    plan.record(record);
  }
}

/** Stands for a head of which nothing may be believed. */
function unreadHead(): RequestHead {
  return {
    method: '',
    target: '',
    authority: '',
    scheme: 'http',
    version: 11,
    headers: new HeaderList(),
    bodyLength: 0,
    upgrade: '',
    expectContinue: false,
  };
}

function newRecord(
  connection: ConnectionInfo,
  method: string,
  target: string,
  authority: string,
  now: number,
): ExchangeRecord {
  return {
    connection,
    client: '',
    method,
    target,
    authority,
    status: 0,
    flag: '-',
    grpc: null,
    grpcStatus: -1,
    code: '',
    traceId: '',
    requestId: '',
    route: '',
    cluster: '',
    endpoint: '',
    rule: '',
    decisionId: '',
    attempts: 0,
    requestBytes: 0,
    responseBytes: 0,
    startedAt: now,
    firstByteAt: 0,
    finishedAt: 0,
    detail: '',
  };
}

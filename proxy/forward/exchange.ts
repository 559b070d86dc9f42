// One exchange: match → filters → attempt ⇄ retry → respond → record. It stands between a server codec
// (as DownstreamHandler) and one Attempt at a time, and streams bodies both ways with backpressure.
// `Expect: 100-continue` is end to end: the client's 100 is the one that the upstream sends.
import { ERRORS } from '../../core/kit/error-table.ts';
import { MeshError } from '../../core/kit/error.ts';
import type {
  ClusterHandle,
  Downstream,
  DownstreamHandler,
  EndpointHandle,
  ExchangeRecord,
  RequestHead,
  ResponseHead,
} from '../exchange.ts';
import type { HeaderList } from '../kit/header-list.ts';
import type { Tunnel } from '../kit/tunnel.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { DateSource } from './date.ts';
import type { ExchangePlan, Translation } from './plan.ts';
import { CallDeadline, concludeStatus, detailOf, failureFields, isStranded, noteStatus } from './grpc-call.ts';
import { ReplayBuffer } from './replay.ts';
import { respondError } from './respond.ts';
import { nextTry } from './retry.ts';
import { splice, type Splice } from './splice.ts';
import { isEndless, overdue, type TimeLimitDeps, type TimeLimitOwner, TimeLimits } from './time-limits.ts';

/** Where the answer stands. `tunnel`: handed over after a 101, only its end is waited for. */
type Phase = 'waiting' | 'answering' | 'tunnel' | 'done';

export interface ExchangeDeps extends TimeLimitDeps {
  readonly date: DateSource;
}

export class Exchange implements DownstreamHandler, AttemptOwner, TimeLimitOwner {
  readonly #deps: ExchangeDeps;
  readonly #plan: ExchangePlan;
  /** Of the client, or of its translation. */
  #downstream: Downstream;
  #head: RequestHead;
  readonly #record: ExchangeRecord;
  readonly #replay = new ReplayBuffer();
  #cluster: ClusterHandle | null = null;
  #attempt: Attempt | null = null;
  #phase: Phase = 'waiting';
  #requestEnded = false;
  #trailers: HeaderList | null = null;
  readonly #limits: TimeLimits;
  #spliced: Splice | null = null;
  /** Why a tunnel was cut. */
  #silence: MeshError | null = null;
  /** An informational answer went to the client. */
  #informed = false;
  #translation: Translation | null = null;
  /** Of a gRPC call. */
  #deadline: CallDeadline | null = null;
  /** An answer that can be ended at any time by trailers. */
  #endable = false;

  constructor(
    deps: ExchangeDeps,
    plan: ExchangePlan,
    downstream: Downstream,
    head: RequestHead,
    record: ExchangeRecord,
  ) {
    this.#deps = deps;
    this.#plan = plan;
    this.#downstream = downstream;
    this.#head = head;
    this.#record = record;
    this.#limits = new TimeLimits(deps, this);
  }

  /** Routes it and begins the first attempt, or answers at once. */
  begin(): void {
    const head = this.#head;
    const { connection } = this.#downstream;
    this.#plan.identify(head, this.#record);
    const { bodySize } = this.#plan.limits;
    if (bodySize > 0 && head.bodyLength > bodySize) {
      this.#fail(tooLarge(bodySize));
      return;
    }
    const action = this.#plan.route(head, connection, this.#record);
    if (action instanceof MeshError) {
      this.#fail(action);
      return;
    }
    const cluster = action.choose();
    if (cluster === null) {
      this.#fail(new MeshError('no-cluster', { detail: `route ${action.ruleId}` }));
      return;
    }
    this.#cluster = cluster;
    this.#record.cluster = cluster.cluster.name;
    if (cluster.cluster.protocol === 'grpc' && isStranded(head, connection)) {
      this.#fail(new MeshError('grpc-transport', { origin: 'downstream' }));
      return;
    }
    head.target = action.rewrite(head.target);
    this.#plan.onRequest(head, connection);
    // HTTP/1.0 may come without Host; the next hop is spoken to in HTTP/1.1, which must have one (RFC 9112 §3.2).
    if (head.authority === '') head.authority = serviceOf(cluster.cluster.name);
    if (this.#record.grpc !== null) this.#beginCall(cluster);
    this.#limits.begin(action, this.#deadline, this.#head.bodyLength === 0);
    const endpoint = cluster.pick(null);
    if (endpoint === null) this.#fail(new MeshError('no-endpoint', { detail: `cluster ${cluster.cluster.name}` }));
    else this.#try(endpoint, false);
  }

  onData(chunk: Buffer): void {
    if (this.#phase === 'done') return;
    this.#limits.moved();
    const { bodySize } = this.#plan.limits;
    const bytes = (this.#record.requestBytes += chunk.length);
    if (bodySize > 0 && bytes > bodySize) {
      this.#giveUp(tooLarge(bodySize));
      return;
    }
    if (this.#translation === null) this.#forward(chunk);
    else this.#translate(this.#translation.request(chunk));
  }

  onEnd(trailers: HeaderList | null): void {
    if (this.#phase === 'done') return;
    const error = this.#translation?.end() ?? null;
    if (error !== null) {
      this.#giveUp(error);
      return;
    }
    this.#requestEnded = true;
    this.#trailers = trailers;
    this.#limits.requestEnded();
    this.#attempt?.upstream?.sendEnd(trailers);
  }

  /** Bytes of the request's body, as the upstream gets them. */
  #forward(chunk: Buffer): void {
    // Once an answer began nothing is sent again.
    if (this.#phase === 'waiting') this.#replay.keep(chunk, this.#attempt?.upstream?.waiting === true);
    if (this.#attempt?.upstream?.sendData(chunk) === false) this.#downstream.pause();
  }

  #translate(chunk: Buffer | MeshError): void {
    if (chunk instanceof MeshError) this.#giveUp(chunk);
    else if (chunk.length > 0) this.#forward(chunk);
  }

  onDrain(): void {
    this.#attempt?.upstream?.resume();
  }

  onAbort(error: MeshError): void {
    if (this.#phase === 'done' || this.#phase === 'tunnel') return;
    this.#attempt?.cancel();
    this.#attempt = null;
    // A client that sent garbage or stopped sending is still there to be told so; nobody else hears an answer.
    if (this.#phase === 'waiting' && error.code !== 'downstream-closed') {
      this.#fail(error);
      return;
    }
    if (this.#phase === 'waiting') this.#record.status = ERRORS[error.code].http;
    this.#finish(error);
  }

  attemptInformational(status: number, headers: HeaderList): void {
    if (this.#phase !== 'waiting') return;
    this.#informed = true;
    this.#downstream.sendInformational(status, headers);
  }

  attemptHead(head: ResponseHead): void {
    // To a client of HTTP/2 it would say that there is a tunnel (RFC 8441 §5).
    if (this.#head.upgrade !== '' && this.#head.version === 20 && head.status < 300) {
      this.#giveUp(new MeshError('upstream-protocol', { origin: 'upstream', detail: 'it did not switch protocols' }));
      return;
    }
    this.#phase = 'answering';
    this.#limits.answerBegan(isEndless(head.headers.get('content-type')));
    this.#replay.drop();
    const record = this.#record;
    record.firstByteAt = this.#deps.now();
    record.status = head.status;
    if (record.grpc !== null) {
      noteStatus(head.headers, record);
      this.#endable = record.grpc === 'grpc' && head.bodyLength === -1;
    }
    const fromMesh = this.#fromMesh();
    this.#plan.onResponse(head, fromMesh);
    // The sidecar beside the app did so already.
    if (!fromMesh) this.#deps.date.stamp(head.headers);
    this.#downstream.sendHead(head);
  }

  attemptData(chunk: Buffer): void {
    this.#limits.moved();
    this.#record.responseBytes += chunk.length;
    if (!this.#downstream.sendData(chunk)) this.#attempt?.upstream?.pause();
  }

  attemptEnd(trailers: HeaderList | null): void {
    // The rest of the request is of no use to anybody: without this a stream of HTTP/2 would stay open for it.
    if (!this.#requestEnded && this.#head.bodyLength !== 0) this.#attempt?.upstream?.cancel();
    this.#attempt = null;
    if (this.#record.grpc !== null) noteStatus(trailers, this.#record);
    this.#downstream.sendEnd(trailers);
    this.#finish(null);
  }

  attemptDrain(): void {
    this.#downstream.resume();
  }

  attemptUpgrade(head: ResponseHead, tunnel: Tunnel): void {
    this.#phase = 'tunnel';
    this.#attempt = null;
    const record = this.#record;
    record.firstByteAt = this.#deps.now();
    record.status = head.status;
    this.#plan.onResponse(head, this.#fromMesh());
    const spliced = splice(this.#downstream.sendUpgrade(head), tunnel, (end) => {
      record.requestBytes += end.fromDownstream;
      record.responseBytes += end.fromUpstream;
      this.#finish(this.#silence);
    });
    this.#spliced = spliced;
    this.#limits.tunnelBegan(() => spliced.passed);
  }

  attemptError(error: MeshError, reported: boolean): void {
    const failed = this.#attempt;
    const cluster = this.#cluster;
    this.#attempt = null;
    // The app holds the same deadline, and resets the stream when it is over.
    if (this.#deadline !== null && this.#deps.now() >= this.#deadline.at) {
      this.#fail(overdue(this.#deadline));
      return;
    }
    if (this.#phase !== 'waiting' || failed === null || cluster === null) {
      this.#fail(error);
      return;
    }
    const { endpoint } = failed;
    // The rest of the body has nowhere to go.
    if (reported && !this.#requestEnded) failed.cancel();
    const next = nextTry(
      { error, endpoint, cluster, reported, responseBegan: this.#informed, bodyReplayable: this.#replay.whole },
      this.#record,
    );
    if (next === null) this.#fail(error);
    else this.#try(next, true);
  }

  timedOut(error: MeshError): void {
    if (this.#spliced === null) {
      this.#giveUp(error);
      return;
    }
    // Its end is recorded when both sides are closed.
    this.#silence = error;
    this.#spliced.cut();
  }

  tryTimedOut(error: MeshError): void {
    this.#attempt?.cancel();
    this.attemptError(error, false);
  }

  /** A gRPC call: its time limit, and the form in which the app gets it. */
  #beginCall(cluster: ClusterHandle): void {
    this.#deadline = CallDeadline.of(this.#head, this.#record.startedAt);
    const translation = this.#plan.translate?.(this.#head, this.#downstream, cluster) ?? null;
    if (translation === null) return;
    this.#translation = translation;
    this.#downstream = translation.downstream;
    this.#head = translation.head;
  }

  #try(endpoint: EndpointHandle, again: boolean): void {
    const record = this.#record;
    const deadline = this.#deadline;
    if (deadline !== null) {
      const now = this.#deps.now();
      if (now >= deadline.at) {
        this.#fail(overdue(deadline));
        return;
      }
      deadline.shorten(this.#head, now);
    }
    record.attempts += 1;
    record.endpoint = endpoint.address;
    const attempt = new Attempt(this, endpoint, this.#fromMesh());
    this.#attempt = attempt;
    // A second try must not meet the next stale connection of the same restart.
    const upstream = endpoint.request(this.#head, attempt, again);
    if (this.#attempt !== attempt) return;
    attempt.upstream = upstream;
    if (!again) return;
    this.#limits.triedAgain();
    if (this.#replay.sendTo(upstream)) this.#downstream.resume();
    if (this.#requestEnded) upstream.sendEnd(this.#trailers);
  }

  /** With whatever is under way at an endpoint. */
  #giveUp(error: MeshError): void {
    this.#attempt?.cancel();
    this.#attempt = null;
    this.#fail(error);
  }

  #fail(error: MeshError): void {
    if (this.#phase === 'waiting') respondError(this.#downstream, error, this.#record, this.#plan, this.#deps.date);
    else if (this.#phase === 'answering') {
      // A call that breaks off says why; a browser could take the status for a part of a message.
      if (this.#endable) this.#downstream.sendEnd(failureFields(error, this.#record));
      else this.#downstream.reset();
    }
    this.#finish(error);
  }

  #finish(error: MeshError | null): void {
    if (this.#phase === 'done') return;
    this.#phase = 'done';
    this.#attempt = null;
    this.#replay.drop();
    this.#limits.stop();
    const record = this.#record;
    record.finishedAt = this.#deps.now();
    if (error !== null) {
      record.flag = ERRORS[error.code].flag;
      record.code = error.code;
      record.detail = detailOf(error, record, this.#cluster?.cluster.protocol);
    }
    if (record.grpc !== null) concludeStatus(error, record);
    this.#plan.record(record);
  }

  #fromMesh(): boolean {
    return this.#cluster?.cluster.kind === 'mesh';
  }
}

function tooLarge(bodySize: number): MeshError {
  return new MeshError('body-too-large', { origin: 'downstream', detail: `more than ${bodySize} bytes` });
}

/** `orders@v2` is a cluster of `orders`. */
function serviceOf(cluster: string): string {
  const at = cluster.indexOf('@');
  return at < 0 ? cluster : cluster.slice(0, at);
}

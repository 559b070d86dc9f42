// gRPC-Web at the edge: a browser cannot read trailers, so they come as one more frame at the end of the body, and
// in its text form the whole body is base64. Towards the app the call is plain gRPC. Source: grpc/doc/PROTOCOL-WEB.md.
import { grpcForm } from '../../core/decide/grpc.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { ConnectionInfo, Downstream, RequestHead, ResponseHead } from '../exchange.ts';
import type { HeaderList } from '../kit/header-list.ts';
import type { Tunnel } from '../kit/tunnel.ts';
import { Base64Decoder } from './base64-stream.ts';
import { FrameWatch } from './grpc-frames.ts';

const WEB = 'application/grpc-web';
const WEB_TEXT = 'application/grpc-web-text';
const PLAIN = 'application/grpc';
/** The first byte of the frame that is trailers. */
const TRAILERS = 0x80;

/** null: the request is not gRPC-Web. */
export function grpcWebCall(head: RequestHead, downstream: Downstream): GrpcWebCall | null {
  const type = head.headers.get('content-type') ?? '';
  const form = grpcForm(type);
  if (form === null || form === 'grpc') return null;
  const accept = grpcForm(head.headers.get('accept') ?? '');
  const asText = accept === null || accept === 'grpc' ? form === 'grpc-web-text' : accept === 'grpc-web-text';
  return new GrpcWebCall(head, type, form === 'grpc-web-text', new WebDownstream(downstream, asText));
}

export class GrpcWebCall {
  /** As the app gets it. */
  readonly head: RequestHead;
  readonly downstream: Downstream;
  readonly #decoder: Base64Decoder | null;
  readonly #frames = new FrameWatch();

  constructor(head: RequestHead, type: string, isText: boolean, downstream: Downstream) {
    head.headers.set('content-type', PLAIN + type.slice((isText ? WEB_TEXT : WEB).length));
    // What every gRPC caller sends; some servers ask for it.
    head.headers.set('te', 'trailers');
    this.head = isText && head.bodyLength !== 0 ? { ...head, bodyLength: -1 } : head;
    this.downstream = downstream;
    this.#decoder = isText ? new Base64Decoder() : null;
  }

  /** Bytes of the request's body as the app gets them. */
  request(chunk: Buffer): Buffer | MeshError {
    const bytes = this.#decoder === null ? chunk : this.#decoder.decode(chunk);
    if (bytes === null) return refused('the body is not base64');
    return this.#frames.pass(bytes) ? bytes : refused('a frame in the body is no message');
  }

  /** null: the body ended where it may. */
  end(): MeshError | null {
    return this.#frames.whole && this.#decoder?.whole !== false ? null : refused('the body ends inside a message');
  }
}

function refused(detail: string): MeshError {
  return new MeshError('bad-request', { origin: 'downstream', detail: `gRPC-Web: ${detail}` });
}

/** The client, who is answered in its own form. An answer that is no gRPC passes as it is. */
class WebDownstream implements Downstream {
  readonly connection: ConnectionInfo;
  readonly #client: Downstream;
  readonly #asText: boolean;
  #translates = false;

  constructor(client: Downstream, asText: boolean) {
    this.connection = client.connection;
    this.#client = client;
    this.#asText = asText;
  }

  sendInformational(status: number, headers: HeaderList): void {
    this.#client.sendInformational(status, headers);
  }

  sendHead(head: ResponseHead): void {
    const type = head.headers.get('content-type') ?? '';
    this.#translates = grpcForm(type) === 'grpc';
    if (!this.#translates) {
      this.#client.sendHead(head);
      return;
    }
    head.headers.set('content-type', (this.#asText ? WEB_TEXT : WEB) + type.slice(PLAIN.length));
    // A head without a body has the status already; any other body gets longer.
    this.#client.sendHead(head.bodyLength === 0 ? head : { ...head, bodyLength: -1 });
  }

  sendData(chunk: Buffer): boolean {
    return this.#client.sendData(this.#translates ? this.#encode(chunk) : chunk);
  }

  sendEnd(trailers: HeaderList | null): void {
    if (!this.#translates || trailers === null) {
      this.#client.sendEnd(trailers);
      return;
    }
    this.#client.sendData(this.#encode(trailerFrame(trailers)));
    this.#client.sendEnd(null);
  }

  sendUpgrade(head: ResponseHead): Tunnel {
    return this.#client.sendUpgrade(head);
  }

  reset(): void {
    this.#client.reset();
  }

  pause(): void {
    this.#client.pause();
  }

  resume(): void {
    this.#client.resume();
  }

  /** Each piece with padding of its own: what is there now must not wait for what comes later. */
  #encode(chunk: Buffer): Buffer {
    return this.#asText ? Buffer.from(chunk.toString('base64'), 'latin1') : chunk;
  }
}

function trailerFrame(trailers: HeaderList): Buffer {
  const { fields } = trailers;
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${(fields[i] as string).toLowerCase()}: ${fields[i + 1]}\r\n`;
  const frame = Buffer.allocUnsafe(5 + Buffer.byteLength(text, 'latin1'));
  frame[0] = TRAILERS;
  frame.writeUInt32BE(frame.length - 5, 1);
  frame.write(text, 5, 'latin1');
  return frame;
}

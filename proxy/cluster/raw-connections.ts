// The connections to one endpoint that carry bytes: each is dialled for one client and shared with nobody.
import type { Socket } from 'node:net';
import { MeshError } from '../../core/kit/error.ts';
import type { Cluster, Endpoint } from '../../core/model/view.ts';
import type { Dial } from './dial.ts';

export interface RawConnectionsDeps {
  readonly dial: Dial;
  /** Most at a time, those being opened included. */
  readonly most: number;
  readonly counts: { opened: number; failed: number; overflow: number };
  /** `active` changed. */
  onCount(): void;
}

export class RawConnections {
  readonly #cluster: Cluster;
  readonly #endpoint: Endpoint;
  readonly #deps: RawConnectionsDeps;
  readonly #sockets = new Set<Socket>();
  readonly #dials = new Set<() => void>();

  constructor(cluster: Cluster, endpoint: Endpoint, deps: RawConnectionsDeps) {
    this.#cluster = cluster;
    this.#endpoint = endpoint;
    this.#deps = deps;
  }

  get active(): number {
    return this.#sockets.size + this.#dials.size;
  }

  /** As EndpointHandle has it. */
  connect(done: (error: MeshError | null, socket: Socket | null) => void): () => void {
    const { counts, dial, most, onCount } = this.#deps;
    if (this.active >= most) {
      counts.overflow += 1;
      const detail = `cluster ${this.#cluster.name}: too many connections to one endpoint`;
      const late = setImmediate(() => done(new MeshError('overloaded', { detail, unprocessed: true }), null));
      return () => clearImmediate(late);
    }
    const hangUp = dial(
      this.#cluster,
      this.#endpoint,
      (error, socket) => {
        this.#dials.delete(giveUp);
        if (socket === null) counts.failed += 1;
        else {
          counts.opened += 1;
          this.#keep(socket);
        }
        onCount();
        done(error, socket);
      },
      false,
    );
    const giveUp = (): void => {
      if (!this.#dials.delete(giveUp)) return;
      hangUp();
      onCount();
    };
    this.#dials.add(giveUp);
    onCount();
    return giveUp;
  }

  /** Whether the endpoint is there and is who it should be. */
  probe(done: (error: MeshError | null) => void): void {
    this.connect((error, socket) => {
      // In order: cut off now, the other side might not have seen the end of the handshake, and would take it for a stranger.
      socket?.resume();
      socket?.end();
      done(error);
    });
  }

  /** Cuts all of them. */
  close(): void {
    for (const giveUp of [...this.#dials]) giveUp();
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#deps.onCount();
    });
  }
}

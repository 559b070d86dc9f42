// The entry of every TCP connection of one listener. A connection keeps the plan that it began with, but not against a
// later one that denies it: it may live for days.
import type { Socket } from 'node:net';
import { MeshError } from '../../core/kit/error.ts';
import type { ConnectionInfo } from '../exchange.ts';
import type { ProxiedPair } from '../kit/proxy-protocol.ts';
import { newRecord, TcpConnection, type TcpDeps } from './connection.ts';
import type { TcpDownstream } from './downstream.ts';
import type { TcpPlan } from './plan.ts';

/** `none`: the listener speaks HTTP. `passthrough`: TLS whose name has to be read first. */
export type TcpKind = 'none' | 'plain' | 'passthrough';

export class TcpForwarder {
  readonly #deps: TcpDeps;
  readonly #idlePlan: TcpPlan;
  readonly #whenBytes: Exclude<TcpKind, 'none'>;
  readonly #open = new Set<TcpConnection>();
  #plan: TcpPlan | null = null;

  /** `idlePlan`: where there is none, and somebody comes with bytes nevertheless. */
  constructor(deps: TcpDeps, idlePlan: TcpPlan, whenBytes: Exclude<TcpKind, 'none'>) {
    this.#deps = deps;
    this.#idlePlan = idlePlan;
    this.#whenBytes = whenBytes;
  }

  /** Of connections from now on. */
  get kind(): TcpKind {
    return this.#plan === null ? 'none' : this.#whenBytes;
  }

  /** null: from now on it speaks HTTP alone. */
  swap(plan: TcpPlan | null): void {
    this.#plan = plan;
    if (plan === null) return;
    for (const connection of [...this.#open]) {
      const record = newRecord(connection.info, this.#deps.now());
      const again = plan.route(connection.info, record);
      if (again instanceof MeshError && again.code === 'denied') connection.cut(again, record);
    }
  }

  serve(socket: Socket, downstream: TcpDownstream, info: ConnectionInfo, onClose: () => void): TcpConnection {
    const plan = this.#plan ?? this.#idlePlan;
    const pair = pairOf(socket, info);
    const connection: TcpConnection = new TcpConnection(this.#deps, plan, downstream, info, pair, () => {
      this.#open.delete(connection);
      onClose();
    });
    this.#open.add(connection);
    return connection;
  }
}

/** Who connected to whom; behind a load balancer as that one says it. */
function pairOf(socket: Socket, { remoteAddress, remotePort }: ConnectionInfo): ProxiedPair {
  const address = (socket.localAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
  return {
    source: { address: remoteAddress, port: remotePort },
    destination: { address, port: socket.localPort ?? 0 },
  };
}

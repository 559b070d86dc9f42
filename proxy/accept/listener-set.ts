// The listening sockets of a proxy. A new view is opened beside the old one: sockets whose address and
// kind did not change stay, with their connections; new ones are bound before anything is swapped.
import { MeshError } from '../../core/kit/error.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { Acceptor } from './acceptor.ts';

/** A socket that a view asks for. `make` is called only where there is none like it. */
export interface WantedListener {
  readonly name: string;
  readonly address: HostPort;
  /** Whatever else makes it another socket: `plain`, `tls`. */
  readonly kind: string;
  make(): Acceptor;
}

export interface OpenedListeners {
  readonly acceptors: ReadonlyMap<string, Acceptor>;
  readonly opened: readonly Acceptor[];
}

export class ListenerSet {
  #acceptors: ReadonlyMap<string, Acceptor> = new Map();

  get acceptors(): ReadonlyMap<string, Acceptor> {
    return this.#acceptors;
  }

  /** All of them are bound, or none is. */
  async open(wanted: readonly WantedListener[]): Promise<Result<OpenedListeners, MeshError>> {
    const acceptors = new Map<string, Acceptor>();
    const opened: Acceptor[] = [];
    for (const listener of wanted) {
      const key = keyOf(listener);
      const found = this.#acceptors.get(key);
      if (found !== undefined) {
        acceptors.set(key, found);
        continue;
      }
      const acceptor = listener.make();
      try {
        await acceptor.start();
      } catch (error) {
        for (const one of opened) one.close();
        return err(error instanceof MeshError ? error : new MeshError('internal', { cause: error }));
      }
      opened.push(acceptor);
      acceptors.set(key, acceptor);
    }
    return ok({ acceptors, opened });
  }

  /** Sockets that the new view does not ask for take no more connections and drain for `cap` ms. */
  commit(next: OpenedListeners, cap: number): void {
    const stays = new Set(next.acceptors.values());
    for (const acceptor of this.#acceptors.values()) if (!stays.has(acceptor)) void acceptor.drain(cap);
    this.#acceptors = next.acceptors;
  }

  abandon(next: OpenedListeners): void {
    for (const acceptor of next.opened) acceptor.close();
  }

  /** Those whose name `chosen` takes. */
  async drain(cap: number, chosen: (name: string) => boolean = () => true): Promise<void> {
    const acceptors = [...this.#acceptors.values()].filter(({ name }) => chosen(name));
    await Promise.all(acceptors.map((acceptor) => acceptor.drain(cap)));
  }

  close(): void {
    for (const acceptor of this.#acceptors.values()) acceptor.close();
    this.#acceptors = new Map();
  }
}

function keyOf(listener: WantedListener): string {
  return `${listener.name} ${listener.kind} ${listener.address.host} ${listener.address.port}`;
}

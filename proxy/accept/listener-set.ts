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
  /** Whatever else makes it another socket: `none`, `mesh`, `edge`. */
  readonly kind: string;
  /** Where it cannot be bound the others are opened nevertheless. */
  readonly optional: boolean;
  make(): Acceptor;
}

/** An optional socket that could not be bound. */
export interface Unbound {
  readonly name: string;
  readonly error: MeshError;
}

export interface OpenedListeners {
  /** By what the sockets are, with the name that the view gives each. */
  readonly acceptors: ReadonlyMap<string, NamedAcceptor>;
  readonly opened: readonly Acceptor[];
  /** They made room for opened ones on the same port; without a commit they listen again. */
  readonly suspended: readonly Acceptor[];
  readonly unbound: readonly Unbound[];
}

interface NamedAcceptor {
  readonly name: string;
  readonly acceptor: Acceptor;
}

export class ListenerSet {
  #acceptors: ReadonlyMap<string, NamedAcceptor> = new Map();

  get acceptors(): readonly Acceptor[] {
    return [...this.#acceptors.values()].map(({ acceptor }) => acceptor);
  }

  /** All of them are bound, or none is; optional ones apart. */
  async open(wanted: readonly WantedListener[]): Promise<Result<OpenedListeners, MeshError>> {
    const acceptors = new Map<string, NamedAcceptor>();
    const opened: Acceptor[] = [];
    const unbound: Unbound[] = [];
    const suspended = await this.#makeRoom(wanted);
    for (const listener of wanted) {
      const { name } = listener;
      const found = this.#acceptors.get(keyOf(listener))?.acceptor;
      const acceptor = found ?? listener.make();
      if (found === undefined) {
        const error = await startError(acceptor);
        if (error !== null && listener.optional) {
          unbound.push({ name, error });
          continue;
        }
        opened.push(acceptor);
        if (error !== null) {
          await this.abandon({ opened, suspended });
          return err(error);
        }
      }
      acceptors.set(keyOf(listener), { name, acceptor });
    }
    return ok({ acceptors, opened, suspended, unbound });
  }

  /** Sockets that the new view does not ask for take no more connections and drain for `cap` ms. */
  commit(next: OpenedListeners, cap: number): void {
    const before = this.acceptors;
    this.#acceptors = next.acceptors;
    for (const { name, acceptor } of next.acceptors.values()) acceptor.rename(name);
    const stays = new Set(this.acceptors);
    for (const acceptor of before) if (!stays.has(acceptor)) void acceptor.drain(cap);
  }

  async abandon(next: Pick<OpenedListeners, 'opened' | 'suspended'>): Promise<void> {
    await Promise.all(next.opened.map((acceptor) => acceptor.close()));
    for (const acceptor of next.suspended) await acceptor.start();
  }

  /** Those whose name `chosen` takes. */
  async drain(cap: number, chosen: (name: string) => boolean = () => true): Promise<void> {
    const acceptors = this.acceptors.filter(({ name }) => chosen(name));
    await Promise.all(acceptors.map((acceptor) => acceptor.drain(cap)));
  }

  close(): void {
    for (const acceptor of this.acceptors) void acceptor.close();
    this.#acceptors = new Map();
  }

  /** Our own sockets that go, and whose port another kind of socket or a wider address wants. */
  async #makeRoom(wanted: readonly WantedListener[]): Promise<readonly Acceptor[]> {
    const keys = new Set(wanted.map(keyOf));
    const fresh = wanted.filter((listener) => !this.#acceptors.has(keyOf(listener)));
    const ports = new Set(fresh.map(({ address }) => address.port).filter((port) => port !== 0));
    const leaving = [...this.#acceptors].filter(([key]) => !keys.has(key)).map(([, { acceptor }]) => acceptor);
    const inTheWay = leaving.filter(({ bound }) => ports.has(bound.port));
    await Promise.all(inTheWay.map((acceptor) => acceptor.suspend()));
    return inTheWay;
  }
}

async function startError(acceptor: Acceptor): Promise<MeshError | null> {
  try {
    await acceptor.start();
    return null;
  } catch (error) {
    return error instanceof MeshError ? error : new MeshError('internal', { cause: error });
  }
}

/** By place, not by name: `edge/main/0` is another listener after somebody wrote one above it. */
function keyOf({ name, address, kind }: WantedListener): string {
  return `${kind} ${address.host} ${address.port}${address.port === 0 ? ` ${name}` : ''}`;
}

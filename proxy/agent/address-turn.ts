// Whose turn it is among the addresses of the control plane: after each loss and each failure the next one's.
import type { HostPort } from '../../core/model/mesh.ts';

export class AddressTurn {
  readonly #addresses: readonly [HostPort, ...HostPort[]];
  #index = 0;

  constructor(addresses: readonly [HostPort, ...HostPort[]]) {
    this.#addresses = addresses;
  }

  get current(): HostPort {
    return this.#addresses[this.#index] ?? this.#addresses[0];
  }

  next(): void {
    this.#index = (this.#index + 1) % this.#addresses.length;
  }
}

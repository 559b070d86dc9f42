// Whose turn it is among the addresses of the control plane: after each loss and each failure the next one's.
import type { HostPort } from '../../core/model/mesh.ts';
import type { Addresses } from '../../host/setting-kinds.ts';

export class AddressTurn {
  readonly #addresses: Addresses;
  #index = 0;

  constructor(addresses: Addresses) {
    this.#addresses = addresses;
  }

  get current(): HostPort {
    return this.#addresses[this.#index] ?? this.#addresses[0];
  }

  next(): void {
    this.#index = (this.#index + 1) % this.#addresses.length;
  }
}

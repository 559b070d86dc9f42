// Several sockets at one place: those of worker threads, and those of a process and the one that takes over from it.
import type { HostPort } from '../../core/model/mesh.ts';

export interface PortSharing {
  /** Where to bind: with the real port, where one of ours has it and 0 is asked for. */
  placeOf(name: string, address: HostPort): HostPort;
  /** Another of ours serves there. */
  isHeld(name: string, address: HostPort): boolean;
  /** Rejects, with the system's error, where somebody has it who is not one of ours. */
  claim(address: HostPort): Promise<void>;
}

/** A place that one of ours holds, under the name of its listener. */
export interface HeldPort extends HostPort {
  readonly name: string;
}

// The ports on which an edge's container listens for what was published to the ports of a service.
import { carriedPorts } from './carried-ports.ts';
import type { Member } from './plan.ts';

/** Below this a process without privileges may not listen on every engine. */
const FIRST_FREE = 1024;
const OFFSET = 10_000;
const WEFT_PORTS = { first: 15_000, last: 15_099 };
const LAST = 65_535;

export interface EdgeSocket {
  /** Of the service. */
  readonly port: number;
  readonly listen: number;
  /** Null: it speaks HTTP, and a route leads to the service. Else as `to` of the listener has it. */
  readonly bytesTo: string | null;
}

/** Of the carried ports that are published, the main one first. */
export function edgeSockets(member: Member): readonly EdgeSocket[] {
  const published = new Set(member.edgePorts.flatMap(({ targets }) => targets));
  const taken = new Set<number>();
  return carriedPorts(member)
    .filter((port) => published.has(port))
    .map((port) => {
      const further = member.further.find((each) => each.port === port);
      const bytesTo = further === undefined ? member.name : `${member.name}:${further.name}`;
      const isHttp = further === undefined && member.protocol === 'http';
      return { port, listen: free(port, taken), bytesTo: isHttp ? null : bytesTo };
    });
}

function free(port: number, taken: Set<number>): number {
  const isOwn = port >= WEFT_PORTS.first && port <= WEFT_PORTS.last;
  let listen = port < FIRST_FREE || isOwn ? port + OFFSET : port;
  while (taken.has(listen)) listen = listen === LAST ? FIRST_FREE : listen + 1;
  taken.add(listen);
  return listen;
}

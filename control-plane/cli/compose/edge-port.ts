// The port on which an edge's container listens for what was published to a service's port.

/** Below this a process without privileges may not listen on every engine. */
const FIRST_FREE = 1024;
const OFFSET = 10_000;
const WEFT_PORTS = { first: 15_000, last: 15_099 };

export function edgeListenPort(port: number): number {
  const isOwn = port >= WEFT_PORTS.first && port <= WEFT_PORTS.last;
  return port < FIRST_FREE || isOwn ? port + OFFSET : port;
}

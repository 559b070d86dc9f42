// A process that holds many simulated proxies, each with its own connection, and says what came to them and when.
// Started by simulators.ts, which it speaks to over IPC.
import { loadServices } from '../../proto/codec/services.ts';
import { comeId, goneId, now, type Order, type Report } from './messages.ts';
import { SimulatedProxy, type Watcher } from './simulated-proxy.ts';

const method = loadServices().discovery.Stream;
const proxies = new Map<string, SimulatedProxy>();
const movers = new Set<string>();
const still = new Set<SimulatedProxy>();

let currentAt = 0;
let responses = 0;
let stillResponses = 0;
let bodies = 0;
let lastAt = 0;
let losses = 0;
let begun: (readonly [string, number])[] = [];
let arrived: (readonly [string, number])[] = [];
let stall = 0;

const watcher: Watcher = {
  onResponse(proxy, resources) {
    responses += 1;
    if (still.has(proxy)) stillResponses += 1;
    bodies += resources;
    lastAt = now();
  },
  onEndpoint(proxy, id, port, there) {
    if (still.has(proxy)) arrived.push([there ? comeId(id, port) : goneId(id, port), now()]);
  },
  onAcknowledged(proxy, first) {
    if (!first) return;
    currentAt = now();
    if (movers.has(proxy.identity.instance)) begun.push([comeId(proxy.identity.instance, proxy.port), currentAt]);
  },
  onTurn(proxy, connect) {
    queue.push([proxy, connect]);
    openMore();
  },
  onOpened(proxy) {
    if (opening.delete(proxy)) openMore();
  },
  onLost() {
    losses += 1;
  },
};

/** Milliseconds. */
const TICK = 20;

/**
 * Handshakes at once. A hundred processes would do them on cores of their own; here they share one, and a client that does
 * more at once than it can gives up on what it has begun, which would measure the client.
 */
const AT_ONCE = 64;
const queue: (readonly [SimulatedProxy, () => void])[] = [];
const opening = new Set<SimulatedProxy>();

function openMore(): void {
  while (opening.size < AT_ONCE) {
    const next = queue.shift();
    if (next === undefined) return;
    const [proxy, connect] = next;
    opening.add(proxy);
    connect();
  }
}

function obey(order: Order): void {
  switch (order.kind) {
    case 'start':
      for (const instance of order.movers) movers.add(instance);
      for (const identity of order.proxies) {
        const proxy = new SimulatedProxy(identity, 0, order.address, method, watcher);
        proxies.set(identity.instance, proxy);
        if (!movers.has(identity.instance)) still.add(proxy);
        proxy.join(identity.port);
      }
      return;
    case 'leave': {
      const proxy = proxies.get(order.instance);
      // Not back yet from the last time: then it does not move.
      if (proxy?.current !== true) return;
      begun.push([goneId(order.instance, proxy.port), now()]);
      proxy.leave();
      return;
    }
    case 'join':
      if (proxies.get(order.instance)?.away === true) proxies.get(order.instance)?.join(order.port);
      return;
    case 'collect':
      process.send?.(report(order.ask));
  }
}

function report(ask: number): Report {
  const current = [...proxies.values()].filter((proxy) => proxy.current).length;
  const made: Report = {
    kind: 'report',
    ...{ ask, current, currentAt, responses, stillResponses, bodies, lastAt, losses, begun, arrived, stall },
  };
  [responses, stillResponses, bodies, losses, stall] = [0, 0, 0, 0, 0];
  [begun, arrived] = [[], []];
  return made;
}

let ticked = now();
setInterval(() => {
  const at = now();
  stall = Math.max(stall, at - ticked - TICK);
  ticked = at;
}, TICK);

process.on('message', (order: Order) => obey(order));
process.on('disconnect', () => process.exit(0));

// What a healthy proxy says of itself.
import type { ProxyFacts } from '../../proxy/agent/proxy-facts.ts';

export const SAMPLE_FACTS: ProxyFacts = {
  certificate: { serial: '4f00', notAfter: 2_000_000_000_000 },
  app: { health: 'up', reason: '' },
  inFlight: 0,
  requests: 0,
  unbound: [],
  unreachable: [],
  memory: 1_000,
};

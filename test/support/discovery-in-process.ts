// A discovery server in a process of its own, whose memory a test can read: it answers `memory` with the most that it
// ever had, in bytes.
import { loadServices } from '../../proto/codec/services.ts';
import { MEMBERSHIP } from '../../core/decide/membership.ts';
import { silentLog } from '../../core/kit/log.ts';
import { DiscoveryServer } from '../../control-plane/server/discovery-server.ts';
import { Registry } from '../../control-plane/registry/registry.ts';
import { encodeView } from '../../proto/codec/encode.ts';
import { systemClock } from '../../proxy/agent/agent.ts';
import { sampleView } from './sample-view.ts';
import { makeTestAuthority } from './test-authority.ts';

const authority = await makeTestAuthority();
const registry = new Registry({
  policy: { ...MEMBERSHIP, grace: 200 },
  now: () => performance.now(),
  after: systemClock.after,
});
const view = sampleView('s1', {});
const server = new DiscoveryServer({
  address: { host: '127.0.0.1', port: 0 },
  identity: authority.server,
  peers: authority,
  definition: loadServices().discovery,
  run: 'run',
  log: silentLog,
  now: () => Date.now(),
  after: systemClock.after,
  viewOf: () => ({ snapshot: 's1', resources: encodeView(view) }),
  join: (instance, callable) => registry.join(instance, callable),
  settled: () => true,
  locate: () => '',
  onAnswer: () => {},
});
const port = await server.start();
process.send?.({ port, identity: await authority.svid('orders'), other: await authority.svid('users') });
process.on('message', () => {
  process.send?.({ memory: process.resourceUsage().maxRSS * 1024, streams: server.states().length });
});
process.on('disconnect', () => process.exit(0));

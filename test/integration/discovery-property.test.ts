// Whatever happens to a mesh, in the end every proxy that is connected runs exactly the newest view that its account may
// have: real streams over mutual TLS, real agents, and chance from a seed. WEFT_STREAM_RUNS makes it longer.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { View } from '../../core/model/view.ts';
import { DiscoveryWorld, type Manner, type Phantom, type WorldProxy } from '../support/discovery-world.ts';
import { eventually } from '../support/eventually.ts';
import { makeTestAuthority } from '../support/test-authority.ts';

const RUNS = Number(process.env['WEFT_STREAM_RUNS'] ?? 10);
const SEED = Number(process.env['WEFT_STREAM_SEED'] ?? 20_261_122);

const SERVICES = ['web', 'orders', 'users', 'payments'] as const;
const PROXIES = [
  ['web', 'web-1'],
  ['web', 'web-2'],
  ['orders', 'orders-1'],
  ['orders', 'orders-2'],
  ['payments', 'payments-1'],
  ['edge-main', 'edge-main-1'],
] as const;
const PHANTOMS: readonly Phantom[] = [
  { account: 'orders', version: 'v1', instance: 'orders-a' },
  { account: 'orders', version: 'v2', instance: 'orders-bb' },
  { account: 'payments', version: null, instance: 'payments-ccc' },
  { account: 'users', version: null, instance: 'users-dddd' },
];

interface Config {
  /** Who calls whom: a bit for each pair. */
  readonly calls: number;
  /** Seconds, of each service. */
  readonly timeouts: readonly number[];
  readonly versions: boolean;
  /** Taken out as a whole; null: none. */
  readonly without: string | null;
  readonly routes: number;
  readonly comment: number;
}

function textOf({ calls, timeouts, versions, without, routes, comment }: Config): string {
  const there = SERVICES.filter((name) => name !== without);
  const callsOf = (name: string, index: number): string =>
    there.filter((other, at) => other !== name && ((calls >> (index * 4 + at)) & 1) === 1).join(', ');
  const services = there.map((name, index) => {
    const more = name === 'orders' && versions ? ', versions: { v1: { instances: 1 }, v2: { instances: 1 } }' : '';
    return `  ${name}: { port: ${8_080 + index}, timeout: ${timeouts[index]}s, calls: [${callsOf(name, index)}]${more} }`;
  });
  const targets = there.filter((_name, index) => ((routes >> index) & 1) === 1);
  const lines = [...targets, there[0]].map((name, index) => `      - { match: /${index}/**, to: ${String(name)} }`);
  return `# ${comment}\nversion: 1\nmesh: { trustDomain: shop.test }\nservices:\n${services.join('\n')}
edges:\n  main:\n    listeners: [{ port: 8443 }]\n    routes:\n${lines.join('\n')}\n`;
}

const config: fc.Arbitrary<Config> = fc.record({
  // Sparse, so that an edit leaves some alone.
  calls: fc.tuple(fc.nat(65_535), fc.nat(65_535)).map(([some, others]) => some & others),
  timeouts: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 4, maxLength: 4 }),
  versions: fc.boolean(),
  without: fc.option(fc.constantFrom('users', 'payments', 'orders'), { freq: 4 }),
  routes: fc.nat(15),
  comment: fc.nat(3),
});

const field = fc.constantFrom<(keyof Config)[]>('calls', 'timeouts', 'versions', 'without', 'routes', 'comment');

type Event =
  /** One setting of it is another now; null: all. */
  | { readonly kind: 'edit'; readonly config: Config; readonly only: keyof Config | null }
  | { readonly kind: 'wrong edit' }
  | {
      readonly kind: 'phantom';
      readonly which: number;
      readonly does: 'comes' | 'leaves' | 'is lost' | 'is down' | 'is up';
    }
  | { readonly kind: 'cut' | 'stall' | 'flow' | 'stop' | 'start'; readonly which: number }
  | { readonly kind: 'manner'; readonly which: number; readonly manner: Manner }
  | { readonly kind: 'restart' }
  | { readonly kind: 'wait'; readonly ms: number };

const which = fc.nat(PROXIES.length - 1);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('edit' as const), config, only: fc.option(field, { freq: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wrong edit' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('phantom' as const),
      which: fc.nat(PHANTOMS.length - 1),
      does: fc.constantFrom(
        'comes' as const,
        'leaves' as const,
        'is lost' as const,
        'is down' as const,
        'is up' as const,
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('cut' as const, 'stall' as const, 'flow' as const, 'stop' as const, 'start' as const),
      which,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('manner' as const),
      which,
      manner: fc.constantFrom<Manner[]>('takes', 'slow', 'refuses', 'cannot'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(40) }) },
);

interface Mesh {
  readonly world: DiscoveryWorld;
  readonly proxies: readonly WorldProxy[];
  /** In force. */
  config: Config;
}

async function happen(mesh: Mesh, what: Event): Promise<void> {
  const { world, proxies } = mesh;
  const proxy = 'which' in what ? (proxies[what.which] as WorldProxy) : null;
  switch (what.kind) {
    case 'edit': {
      const { config: next, only } = what;
      mesh.config = only === null ? next : { ...mesh.config, [only]: next[only] };
      assert.ok(world.edit(textOf(mesh.config)), textOf(mesh.config));
      return;
    }
    case 'wrong edit':
      assert.ok(!world.edit('version: 1\nservices: { web: { prt: 1 } }\n'));
      return;
    case 'phantom':
      world.phantom(PHANTOMS[what.which] as Phantom, what.does);
      return;
    case 'cut':
      proxy?.relay.cut();
      return;
    case 'stall':
    case 'flow':
      proxy?.relay.stall(what.kind === 'stall');
      return;
    case 'start':
      proxy?.start();
      return;
    case 'stop':
      await proxy?.stop();
      return;
    case 'manner':
      if (proxy !== null) proxy.manner = what.manner;
      return;
    case 'restart':
      await world.close();
      await world.start();
      return;
    case 'wait':
      await delay(what.ms);
  }
}

/** Resource by resource. */
function assertRuns(actual: View | null, expected: View, who: string): void {
  assert.ok(actual !== null, `${who} runs nothing`);
  for (const type of ['clusters', 'endpoints', 'listeners', 'routes'] as const) {
    const has: ReadonlyMap<string, unknown> = actual[type];
    const should: ReadonlyMap<string, unknown> = expected[type];
    assert.deepEqual([...has.keys()].sort(), [...should.keys()].sort(), `${who}: ${type}`);
    for (const [name, resource] of should) assert.deepEqual(has.get(name), resource, `${who}: ${type} ${name}`);
  }
}

/** Everybody behaves again; nothing is edited. */
async function calm(world: DiscoveryWorld, proxies: readonly WorldProxy[]): Promise<void> {
  for (const proxy of proxies) {
    proxy.manner = 'takes';
    proxy.relay.stall(false);
  }
  await eventually(() => {
    for (const proxy of proxies) {
      const { account, identity, agent, view, refused } = proxy;
      const newest = world.viewOf(account);
      if (agent === null || newest === null) continue;
      const { connected, snapshot } = agent.state;
      assert.ok(connected, `${identity.instance} is not connected`);
      // Some proxy of the account has refused the newest for good: the last one that was taken goes on, with the instances of now.
      const dubious = proxies.some((other) => other.account === account && other.refused.has(world.hash));
      const expected = snapshot !== null && dubious ? world.viewOf(account, snapshot) : newest;
      if (snapshot === null && dubious) continue;
      if (snapshot === null) assert.fail(`${identity.instance} runs nothing`);
      if (!dubious) assert.equal(snapshot, world.hash, identity.instance);
      if (refused.has(world.hash)) assertOlder(world, proxy, snapshot);
      else if (expected !== null) assertRuns(view, expected, identity.instance);
    }
    return true;
  }, 22_000).catch((cause: unknown) => {
    throw new Error(world.describe(proxies), { cause });
  });
}

/** Who refused the newest for good has an older one, or the newest with older instances. */
function assertOlder(world: DiscoveryWorld, { account, view, identity }: WorldProxy, snapshot: string): void {
  const then = world.viewOf(account, snapshot);
  assert.ok(view !== null && then !== null);
  assertRuns({ ...view, endpoints: then.endpoints }, then, identity.instance);
}

test(`every proxy that stays connected ends at the newest view of its account (seed ${SEED})`, {
  timeout: 60_000 + RUNS * 20_000,
}, async (t: TestContext) => {
  const authority = await makeTestAuthority();
  const first: Config = {
    calls: 65_535,
    timeouts: [1, 1, 1, 1],
    versions: true,
    without: null,
    routes: 15,
    comment: 0,
  };
  const property = fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 45 }), async (events) => {
    const world = new DiscoveryWorld(authority);
    world.edit(textOf(first));
    await world.start();
    const proxies: WorldProxy[] = [];
    for (const [index, [account, instance]] of PROXIES.entries()) {
      proxies.push(await world.proxy(t, account, instance, account.startsWith('edge') ? 0 : 15_000 + index));
    }
    const mesh: Mesh = { world, proxies, config: first };
    try {
      for (const proxy of proxies) proxy.start();
      for (const what of events) await happen(mesh, what);
      await calm(world, proxies);
      // A newer snapshot: what was refused counts no more.
      for (const proxy of proxies) proxy.start();
      const [, ...timeouts] = mesh.config.timeouts;
      world.edit(textOf({ ...mesh.config, without: null, timeouts: [7, ...timeouts] }));
      await calm(world, proxies);
      for (const { account, identity, view, agent } of proxies) {
        assert.equal(agent?.state.snapshot, world.hash);
        assertRuns(view, world.viewOf(account) as View, identity.instance);
      }
    } finally {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      await world.close();
      for (const { relay } of proxies) relay.close();
    }
  });
  await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true });
});

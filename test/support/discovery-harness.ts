// A discovery server whose views a test sets by hand, on real mutual TLS, and agents that record what they apply.
import type { TestContext } from 'node:test';
import { MEMBERSHIP } from '../../core/decide/membership.ts';
import type { View } from '../../core/model/view.ts';
import { Registry } from '../../control-plane/registry/registry.ts';
import { DiscoveryServer } from '../../control-plane/server/discovery-server.ts';
import { encodeView } from '../../proto/codec/encode.ts';
import { loadServices } from '../../proto/codec/services.ts';
import { Agent, systemClock, type AgentOptions, type ApplyView } from '../../proxy/agent/agent.ts';
import { recordingLog } from './recording-log.ts';
import type { TestAuthority, TestIdentity } from './test-authority.ts';

export interface HarnessOptions {
  readonly port?: number;
  /** Begins the nonces. */
  readonly run?: string;
  readonly registry?: Registry;
  readonly settled?: () => boolean;
  readonly locate?: (ruleId: string) => string;
  /** Calls once after `ms`; the returned function cancels. Default: the real clock. */
  readonly after?: (ms: number, callback: () => void) => () => void;
  readonly keepalive?: { readonly time: number; readonly timeout: number };
}

export interface DiscoveryHarness {
  readonly port: number;
  readonly server: DiscoveryServer;
  readonly registry: Registry;
  readonly log: ReturnType<typeof recordingLog>;
  /** Sets the view of an account, or takes the account out of the config, and offers it. */
  setView(account: string, view: View | null): void;
  close(): Promise<void>;
}

let runs = 0;

/** On the real clock; `grace` in ms. */
export function testRegistry(grace = 200): Registry {
  return new Registry({
    policy: { ...MEMBERSHIP, grace },
    now: () => performance.now(),
    after: systemClock.after,
  });
}

export async function startDiscovery(
  authority: TestAuthority,
  context: TestContext,
  options: HarnessOptions = {},
): Promise<DiscoveryHarness> {
  const views = new Map<string, View>();
  const log = recordingLog();
  const registry = options.registry ?? testRegistry();
  const server = new DiscoveryServer({
    address: { host: '127.0.0.1', port: options.port ?? 0 },
    identity: authority.server,
    peers: authority,
    definition: loadServices().discovery,
    run: options.run ?? `run${++runs}`,
    log,
    now: () => Date.now(),
    viewOf: (account) => {
      const view = views.get(account);
      return view === undefined ? null : { snapshot: view.snapshot, resources: encodeView(view) };
    },
    after: options.after ?? systemClock.after,
    join: (instance, callable) => registry.join(instance, callable),
    lost: () => registry.lost(),
    settled: options.settled ?? (() => true),
    locate: options.locate ?? (() => ''),
    onAnswer: () => {},
    ...(options.keepalive === undefined ? {} : { keepalive: options.keepalive }),
  });
  const port = await server.start();
  const close = async () => {
    await server.close();
    registry.close();
  };
  context.after(close);
  return {
    port,
    server,
    registry,
    log,
    setView: (account, view) => {
      if (view === null) views.delete(account);
      else views.set(account, view);
      server.offerAll();
    },
    close,
  };
}

export interface RecordingAgent {
  readonly agent: Agent;
  /** Every view that was applied, in order. */
  readonly applied: View[];
  readonly log: ReturnType<typeof recordingLog>;
}

export function startAgent(
  port: number,
  identity: TestIdentity,
  context: TestContext,
  options: Partial<AgentOptions> = {},
): RecordingAgent {
  const applied: View[] = [];
  const log = recordingLog();
  const record: ApplyView = async (view, origin) => {
    const result = (await options.apply?.(view, origin)) ?? { ok: true, value: undefined };
    if (result.ok) applied.push(view);
    return result;
  };
  const agent = new Agent({
    addresses: [{ host: '127.0.0.1', port }],
    identity,
    version: '0.1.0',
    inboundPort: 15_006,
    log,
    clock: systemClock,
    backoff: { base: 20, cap: 100 },
    ...options,
    apply: record,
  });
  agent.start();
  context.after(() => agent.close());
  return { agent, applied, log };
}

// A callee with its sidecar and a caller with its own, in one process, with real certificates and views made by hand.
import type { TestContext } from 'node:test';
import {
  clusterName,
  milliseconds,
  ruleId,
  spiffeId,
  type SnapshotHash,
  type SpiffeId,
} from '../../core/model/brand.ts';
import { DEFAULT_HEALTH } from '../../core/model/health.ts';
import type { Endpoint, View } from '../../core/model/view.ts';
import { InboundMode } from '../../proxy/mode/inbound.ts';
import { OutboundMode } from '../../proxy/mode/outbound.ts';
import { type ProxyHarness, route, startProxy } from './proxy-harness.ts';
import type { TestAuthority } from './test-authority.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

export const identityOf = (account: string): SpiffeId => spiffeId('shop.test', 'default', account);

export function inboundView(): View {
  const caller = { identity: identityOf('orders'), ruleId: ruleId('services.orders.calls[0]') };
  const allow = {
    from: [identityOf('orders')],
    methods: ['GET', 'POST'],
    paths: [{ kind: 'prefix', path: '/charge' } as const],
    ruleId: ruleId('services.payments.allow[0]'),
  };
  return {
    snapshot: 'aaaaaaaaaaaaaaaa' as SnapshotHash,
    clusters: new Map(),
    endpoints: new Map(),
    listeners: new Map([
      [
        'inbound',
        {
          kind: 'inbound',
          name: 'inbound',
          service: 'payments',
          appPort: 1,
          protocol: 'http',
          ports: [],
          proxyProtocol: null,
          policy: { callers: [caller], allow: [allow], denyRuleId: ruleId('services.payments.allow') },
          timeout: milliseconds(5_000),
          idleTimeout: null,
          health: DEFAULT_HEALTH,
          ruleId: ruleId('services.payments'),
        },
      ],
    ]),
    routes: new Map(),
  };
}

export function outboundView(ports: readonly number[], snapshot = 'aaaaaaaaaaaaaaaa'): View {
  const endpoints: Endpoint[] = ports.map((port) => ({ id: `payments-${port}`, host: '127.0.0.1', port, weight: 1 }));
  const name = clusterName('payments');
  return {
    snapshot: snapshot as SnapshotHash,
    clusters: new Map([
      [
        name,
        {
          name,
          service: 'payments',
          version: null,
          port: '',
          proxyProtocol: null,
          kind: 'mesh',
          identity: identityOf('payments'),
          protocol: 'http',
          balance: 'round-robin',
          connectTimeout: milliseconds(2_000),
          ruleId: ruleId('services.payments'),
        },
      ],
    ]),
    endpoints: new Map([[name, { cluster: name, endpoints }]]),
    listeners: new Map([
      [
        'outbound/payments',
        {
          kind: 'outbound',
          name: 'outbound/payments',
          service: 'payments',
          portName: '',
          port: 8082,
          loopback: '127.15.116.43',
          tcp: null,
          routes: 'outbound/payments',
          ruleId: ruleId('services.orders.calls[0]'),
        },
      ],
    ]),
    routes: new Map([['outbound/payments', { name: 'outbound/payments', routes: [route('/', { to: 'payments' })] }]]),
  };
}

export async function startCallee(
  t: TestContext,
  authority: TestAuthority,
  appPort: number,
  account = 'payments',
): Promise<ProxyHarness> {
  const mode = new InboundMode({ address: LOOPBACK, app: { host: '127.0.0.1', port: appPort } });
  return startProxy(t, { modes: [mode], identity: await authority.svid(account), view: inboundView() });
}

export async function startCaller(
  t: TestContext,
  authority: TestAuthority,
  view: View,
  account = 'orders',
): Promise<ProxyHarness> {
  const mode = new OutboundMode({
    service: account,
    namespace: 'default',
    byHost: LOOPBACK,
    ports: new Map([['payments', LOOPBACK]]),
    names: null,
  });
  return startProxy(t, { modes: [mode], identity: await authority.svid(account), view });
}

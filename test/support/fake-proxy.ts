// A proxy without any logic: it records every message of the control plane and says what a test tells it to.
import type { TestContext } from 'node:test';
import type { Endpoint } from '../../core/model/view.ts';
import type { DiscoveryServer } from '../../control-plane/server/discovery-server.ts';
import type { Registry } from '../../control-plane/registry/registry.ts';
import { clusterName } from '../../core/model/brand.ts';
import type { DiscoveryRequest } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse__Output } from '../../proto/gen/weft/v1/DiscoveryResponse.ts';
import type { ProxyStatus } from '../../proto/gen/weft/v1/ProxyStatus.ts';
import { eventually } from './eventually.ts';
import { HELLO, openRecordingClient, type RecordingClient } from './recording-peers.ts';
import type { SvidOptions, TestAuthority } from './test-authority.ts';

export interface FakeProxy extends Pick<RecordingClient, 'received' | 'send' | 'ended' | 'close'> {
  readonly instance: string;
  /** Messages that are views. */
  views(): DiscoveryResponse__Output[];
  /** Messages that are none. */
  notices(): DiscoveryResponse__Output[];
  /** The n-th view, from 0, once it is there. */
  view(index: number): Promise<DiscoveryResponse__Output>;
  /** Acknowledges the n-th view, and says more in the same message. */
  ack(index: number, more?: DiscoveryRequest): Promise<DiscoveryResponse__Output>;
  nack(index: number, code?: string): Promise<void>;
  report(status: ProxyStatus): void;
  /**
   * The control plane has read all that was sent, and everything that it had to send up to now is here; the number of
   * views. Only for one that has sent a status.
   */
  settled(): Promise<number>;
}

export interface FakeMesh {
  readonly port: number;
  readonly authority: TestAuthority;
  readonly server: Pick<DiscoveryServer, 'ask' | 'states'>;
}

export const UP: ProxyStatus = { appHealth: 'APP_HEALTH_UP' };

/** Opens a stream and says hello, unless `hello` is null. */
export async function fakeProxy(
  t: TestContext,
  { port, authority, server }: FakeMesh,
  account: string,
  { hello = HELLO, ...svid }: SvidOptions & { readonly hello?: DiscoveryRequest | null } = {},
): Promise<FakeProxy> {
  const identity = await authority.svid(account, svid);
  const client = openRecordingClient(port, identity);
  t.after(() => client.close());
  if (hello !== null) client.send(hello);
  const views = () => client.received.filter(({ nonce }) => nonce !== '');
  const notices = () => client.received.filter(({ nonce }) => nonce === '');
  const view = (index: number) => eventually(() => views()[index]);
  return {
    ...client,
    instance: identity.instance,
    views,
    notices,
    view,
    ack: async (index, more = {}) => {
      const response = await view(index);
      client.send({ ...more, responseNonce: response.nonce });
      return response;
    },
    nack: async (index, code = 'view-invalid') => {
      const { nonce } = await view(index);
      client.send({ responseNonce: nonce, errorDetail: { code, message: 'no' } });
    },
    report: (status) => client.send({ status }),
    settled: async () => {
      await eventually(() => server.states().find(({ instance, status }) => instance === identity.instance && status));
      // A question follows on the same stream whatever was sent before.
      const asked = notices().filter(({ ask }) => ask !== null).length;
      const answer = server.ask(identity.instance, { requestId: '', limit: 1 });
      const question = await eventually(() => notices().filter(({ ask }) => ask !== null)[asked]);
      client.send({ answer: { ask: question.ask?.ask ?? '', decisions: [] } });
      await answer;
      return views().length;
    },
  };
}

/** `orders-1` of every endpoints resource of a message, by cluster. */
export function endpointsIn({ resources }: DiscoveryResponse__Output): Record<string, string[]> {
  return Object.fromEntries(
    resources.flatMap(({ name, endpoints }) =>
      endpoints === null || endpoints === undefined ? [] : [[name, endpoints.endpoints.map(({ id }) => id)]],
    ),
  );
}

/** What callers of these services are told now. */
export function endpointsOf(registry: Registry, ...services: string[]): Record<string, readonly Endpoint[]> {
  return Object.fromEntries(services.map((service) => [service, registry.endpointsOf(clusterName(service))]));
}

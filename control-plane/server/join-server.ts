// The join port: serves weft.v1.Join over TLS to whoever has a token and no certificate yet. It shows its chain
// with the root in it, so that the caller can hold the root against the token before it says anything.
import { Server, type handleUnaryCall } from '@grpc/grpc-js';
import { describeError, MeshError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { AttemptLimit } from '../../certs/token/attempt-limit.ts';
import { sweepTokens } from '../../certs/token/token-sweep.ts';
import type { Issued } from '../../proto/gen/weft/v1/Issued.ts';
import type { RedeemRequest__Output } from '../../proto/gen/weft/v1/RedeemRequest.ts';
import type { Services } from '../../proto/codec/services.ts';
import { hostOfPeer } from '../registry/peer-address.ts';
import { MutualTls, type ServerIdentity } from './credentials.ts';
import { bind } from './discovery-server.ts';
import { toServiceError } from './grpc-error.ts';
import { redeem, type RedemptionParts } from './redemption.ts';

/** A token and a CSR are far smaller. */
const MAX_MESSAGE = 128 * 1024;

export interface JoinServerOptions extends RedemptionParts {
  readonly services: Pick<Services, 'join'>;
  /** Port 0 is chosen by the system. */
  readonly address: HostPort;
  /** Its chain has the root in it. */
  readonly identity: ServerIdentity;
  readonly log: Log;
}

export class JoinServer {
  readonly #options: JoinServerOptions;
  readonly #credentials: MutualTls;
  readonly #limit: AttemptLimit;
  #server: Server | null = null;

  constructor(options: JoinServerOptions) {
    this.#options = options;
    this.#credentials = new MutualTls(options.identity, 'none');
    this.#limit = new AttemptLimit(options.clock);
  }

  /** Returns the bound port. Throws MeshError `address-in-use`. */
  async start(): Promise<number> {
    const swept = await sweepTokens(this.#options.stateDir, this.#options.clock);
    if (swept > 0) this.#options.log.info({ tokens: swept }, 'expired join tokens removed');
    const server = new Server({ 'grpc.max_receive_message_length': MAX_MESSAGE, 'grpc.max_concurrent_streams': 16 });
    const handler: handleUnaryCall<RedeemRequest__Output, Issued> = (call, reply) => {
      this.#redeem(hostOfPeer(call.getPeer()) ?? '', call.request).then(
        (issued) => reply(null, issued),
        (error: unknown) => reply(toServiceError(error)),
      );
    };
    server.addService(this.#options.services.join, { Redeem: handler });
    this.#server = server;
    return bind(server, this.#options.address, this.#credentials);
  }

  /** New connections see the new certificate. */
  setIdentity(identity: ServerIdentity): void {
    this.#credentials.setIdentity(identity);
  }

  /** Ends all calls. */
  close(): void {
    this.#server?.forceShutdown();
    this.#server = null;
  }

  async #redeem(source: string, request: RedeemRequest__Output): Promise<Issued> {
    const { log } = this.#options;
    if (!this.#limit.mayTry(source)) {
      log.debug({ source }, 'too many failed redemptions from here');
      throw new MeshError('overloaded', { detail: source });
    }
    try {
      const redeemed = await redeem(this.#options, request);
      if (!redeemed.ok) {
        this.#limit.failed(source);
        log.warn({ source, code: redeemed.error.code, error: describeError(redeemed.error) }, 'join refused');
        throw redeemed.error;
      }
      const { identity, instance, tokenId, serial, chain, bundle } = redeemed.value;
      log.info({ source, identity, instance, tokenId, serial }, 'workload joined');
      return { chain: [...chain], bundle: [...bundle], spiffeId: identity, instance };
    } catch (error) {
      if (!(error instanceof MeshError) || error.code === 'state-corrupt' || error.code === 'file-unreadable') {
        log.error({ source, error: describeError(error) }, 'join failed');
      }
      throw error;
    }
  }
}

// How a proxy comes by its identity: from its state folder if that holds a valid one, else by redeeming a join
// token with a CSR for a key that never leaves the folder. A control plane that is not there is waited for. Another
// token than the one that was redeemed is meant: the proxy joins anew, as what that token says.
import { backoffDelay } from '../../core/kit/backoff.ts';
import { describeError, MeshError } from '../../core/kit/error.ts';
import type { ErrorCode } from '../../core/kit/error-table.ts';
import type { Log } from '../../core/kit/log.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { Addresses } from '../../host/setting-kinds.ts';
import { formatToken, parseToken, type JoinToken } from '../../certs/token/token-text.ts';
import { makeCsr } from '../../certs/x509/csr.ts';
import type { Services } from '../../proto/codec/services.ts';
import { AddressTurn } from './address-turn.ts';
import type { AgentClock } from './agent.ts';
import { callForIdentity } from './identity-call.ts';
import { dropServerCertificates, loadIdentity, pendingKey, storeIdentity, type Identity } from './identity-folder.ts';
import { fetchPinnedRoot } from './pinned-root.ts';
import { dropViewFile } from './view-file.ts';

export interface ObtainIdentityOptions {
  /** The join port, at each of the control plane's addresses. */
  readonly joinAddresses: Addresses;
  /** null: only the state folder counts. */
  readonly token: string | null;
  readonly stateDir: string;
  readonly services: Pick<Services, 'join'>;
  readonly log: Log;
  /** Ends the waiting; the promise then rejects with `control-plane-unreachable`. */
  readonly signal: AbortSignal;
  readonly clock: AgentClock;
}

const BACKOFF = { base: 250, cap: 5_000 };
/** Trying again does not help: the process ends with this one line. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'token-invalid',
  'token-used',
  'token-expired',
  'csr-refused',
  'root-mismatch',
  'peer-refused',
]);

/** Throws MeshError `token-…`, `csr-refused`, `root-mismatch`, `peer-refused`, each with a hint. */
export async function obtainIdentity(options: ObtainIdentityOptions): Promise<Identity> {
  const { stateDir, log, clock } = options;
  const token = options.token === null ? null : parseToken(options.token);
  const kept = await loadIdentity(stateDir);
  const tokenId = token?.ok === true ? token.value.id : null;
  if (kept !== null && clock.now() < kept.notAfter && (tokenId === null || tokenId === kept.tokenId)) {
    log.info({ identity: kept.spiffeId, instance: kept.instance, stateDir }, 'identity taken from the state folder');
    return kept;
  }
  if (token === null) throw noToken(stateDir, kept !== null);
  if (!token.ok) throw token.error;
  return join(options, token.value);
}

async function join(options: ObtainIdentityOptions, token: JoinToken): Promise<Identity> {
  const { log, clock, signal, joinAddresses } = options;
  const turn = new AddressTurn(joinAddresses);
  let waitingFor: string | null = null;
  for (let failures = 0; ; failures += 1) {
    try {
      const identity = await joinOnce(options, turn.current, token);
      log.info({ identity: identity.spiffeId, instance: identity.instance }, 'joined the mesh');
      return identity;
    } catch (error) {
      if (!(error instanceof MeshError) || FINAL.has(error.code) || signal.aborted) throw withHint(error);
      if (waitingFor !== error.code) log.warn({ error: describeError(error) }, 'waiting for the control plane');
      waitingFor = error.code;
      turn.next();
      const rounds = (failures + 1) / joinAddresses.length;
      // Each address gets its try before the next round is waited for.
      if (Number.isInteger(rounds)) await pause(clock, backoffDelay(BACKOFF, rounds - 1, clock.random()), signal);
    }
  }
}

async function joinOnce(options: ObtainIdentityOptions, address: HostPort, token: JoinToken): Promise<Identity> {
  const { stateDir, services, signal } = options;
  const trust = await fetchPinnedRoot(address, token.rootFingerprint, signal);
  const keys = await pendingKey(stateDir);
  const issued = await callForIdentity({
    address,
    trust,
    method: services.join.Redeem,
    request: { token: formatToken(token), csr: makeCsr(keys) },
    signal,
  });
  // Whoever joins anew may be somebody else, and the control plane is there.
  await Promise.all([dropViewFile(stateDir), dropServerCertificates(stateDir)]);
  return storeIdentity(stateDir, keys, { ...issued, tokenId: token.id });
}

/** Resolves after `ms`, or at once when told to stop. */
async function pause(clock: AgentClock, ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = (): void => {
      cancel();
      resolve();
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  'token-invalid': 'make a new one with `weft token create --service NAME` where the control plane runs',
  'token-used': 'a token is good for one instance: make another with `weft token create --service NAME`',
  'token-expired': 'make a new one with `weft token create --service NAME`',
  'peer-refused': 'check that --join names the join port of the control plane',
};

function withHint(error: unknown): unknown {
  if (!(error instanceof MeshError) || error.hint !== '') return error;
  const hint = HINTS[error.code];
  if (hint === undefined) return error;
  return new MeshError(error.code, { origin: error.origin, detail: error.detail, hint, cause: error.cause });
}

function noToken(stateDir: string, expired: boolean): MeshError {
  return new MeshError('token-invalid', {
    detail: expired ? `the certificate in ${stateDir} is no longer good and there is no token` : 'there is none',
    hint: 'make one with `weft token create --service NAME`, for an edge `--edge NAME`, and pass it by --token-file, --token or WEFT_TOKEN',
  });
}

// A whole control plane in this process, from a weft.yaml and an authority in a folder of its own, and sidecars
// of it that have joined by token and record what they are told to run.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { initAuthority, openAuthority } from '../../certs/authority/authority-folder.ts';
import { createToken, type TokenRequest } from '../../certs/token/token-store.ts';
import { startControlPlane, type ControlPlane, type ControlPlaneOptions } from '../../control-plane/start.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { loadServices } from '../../proto/codec/services.ts';
import { systemClock, type AgentOptions, type ApplyView } from '../../proxy/agent/agent.ts';
import { obtainIdentity } from '../../proxy/agent/identity.ts';
import { startAgent, type RecordingAgent } from './discovery-harness.ts';
import { recordingLog } from './recording-log.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface RunningControlPlane {
  readonly plane: ControlPlane;
  readonly folder: string;
  readonly log: ReturnType<typeof recordingLog>;
  port(name: string): HostPort;
  edit(yaml: string): Promise<void>;
  /** Joins with a fresh token and opens a stream. */
  sidecar(
    request: TokenRequest,
    inboundPort?: number,
    apply?: ApplyView,
    more?: Partial<AgentOptions>,
  ): Promise<RecordingAgent>;
}

const ambient = { clock: () => Date.now(), random: (size: number) => randomBytes(size) };
const ANY_PORT = { host: '127.0.0.1', port: 0 };

/** `trustDomain`: of the authority; the one in the file may differ. `api`: over TLS too. */
export async function runControlPlaneHere(
  t: TestContext,
  yaml: string,
  options: Partial<ControlPlaneOptions> & { readonly trustDomain?: string; readonly api?: boolean } = {},
): Promise<RunningControlPlane> {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'weft.yaml');
  const caDir = join(folder, 'ca');
  const stateDir = join(folder, 'control-plane');
  await initAuthority(caDir, { ...ambient, trustDomain: options.trustDomain ?? 'shop.test' });
  await writeFile(file, yaml);
  const log = recordingLog();
  const settings = { config: [file], caDir, stateDir, discovery: ANY_PORT, join: ANY_PORT, status: ANY_PORT };
  const api = options.api === true ? ANY_PORT : null;
  const plane = await startControlPlane({ ...settings, api }, { grace: 300, ...options, log });
  t.after(() => plane.close());
  const port = (name: string): HostPort => {
    const bound = plane.ports.find((one) => one.name === name);
    if (bound === undefined) throw new Error(`no port ${name}`);
    return bound;
  };
  let sidecars = 0;
  return {
    plane,
    folder,
    log,
    port,
    edit: (text) => writeFile(file, text),
    sidecar: async (request, inboundPort = 15_006, apply, more = {}) => {
      const { rootFingerprint } = await openAuthority(caDir, ambient);
      const token = await createToken({ stateDir, rootFingerprint, ...ambient }, request);
      const identity = await obtainIdentity({
        joinAddresses: [port('join')],
        token: token.reveal(),
        stateDir: join(folder, `proxy-${++sidecars}`),
        services: loadServices(),
        log: recordingLog(),
        signal: t.signal,
        clock: systemClock,
      });
      const options = { inboundPort, ...(apply === undefined ? {} : { apply }), ...more };
      return startAgent(port('discovery').port, identity, t, options);
    },
  };
}

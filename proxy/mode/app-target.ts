// Where the app beside a sidecar is asked for its health: its main port, as the data path reaches it.
import type { HostPort } from '../../core/model/mesh.ts';
import type { View } from '../../core/model/view.ts';
import type { ProbeTarget } from '../health/probe.ts';
import { inboundListener } from './inbound.ts';

/** `app`: where the settings say that it listens. Null: there is nobody to ask. */
export function appTarget(view: View, app: HostPort | null): ProbeTarget | null {
  const listener = inboundListener(view);
  if (listener === null || listener.health === null) return null;
  const { appPort, protocol, health } = listener;
  return { address: app ?? { host: '127.0.0.1', port: appPort }, protocol, check: health };
}

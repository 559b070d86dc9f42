// What a tunnel held when it was handed over.
import assert from 'node:assert/strict';
import type { Tunnel } from '../../proxy/kit/tunnel.ts';

/** Starts the tunnel, which nobody else may do then. */
export function earlyBytes(tunnel: Tunnel | null): string {
  assert.ok(tunnel !== null, 'no tunnel');
  let text = '';
  tunnel.start({ onData: (chunk) => void (text += chunk.toString('latin1')), onEnd() {}, onDrain() {}, onClose() {} });
  return text;
}

// WebSockets on a stream (RFC 8441): the neutral form of a request for one is that of HTTP/1.1, with a key and its
// answer, which HTTP/2 does without. So the codec makes up a key on the way in, and the answer on the way back.
import { createHash } from 'node:crypto';

/** RFC 6455 §1.3. */
const SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The only protocol that a stream is asked to become. */
export const WEBSOCKET = 'websocket';

/** The `Sec-WebSocket-Accept` that belongs to a `Sec-WebSocket-Key` (RFC 6455 §4.2.2). */
export function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}${SUFFIX}`, 'latin1').digest('base64');
}

// What a child process tells `weft up` over its IPC channel. Without such a parent everything here is a no-op,
// so proxies and the control plane report in the same way wherever they run.

export type ChildMessage = ListeningMessage | ReadyMessage | StateMessage | LeftMessage | FailedMessage;

/** Sent whenever the set of bound sockets changed; always the whole set. */
export interface ListeningMessage {
  readonly kind: 'listening';
  readonly ports: readonly BoundPort[];
}

export interface BoundPort {
  /**
   * `inbound`, `outbound`, `outbound/<service>`, `edge/<name>/<index>` as the listener resource is named;
   * `status`, `discovery`, `join`.
   */
  readonly name: string;
  readonly host: string;
  /** The real one, where 0 was asked for. */
  readonly port: number;
}

/** The process does its work: a proxy has identity and view; the control plane serves both its ports. */
export interface ReadyMessage {
  readonly kind: 'ready';
}

/** Sent after each applied view and whenever an endpoint comes or goes. */
export interface StateMessage {
  readonly kind: 'state';
  /** Of the view in use; '' before the first. */
  readonly snapshot: string;
  /** Cluster name → endpoints that can be picked now. */
  readonly clusters: Readonly<Record<string, number>>;
}

/** A sidecar that was asked to stop is not called any more, and nothing is in flight: its app may end. */
export interface LeftMessage {
  readonly kind: 'left';
}

/** Why the process is about to end, in one line. */
export interface FailedMessage {
  readonly kind: 'failed';
  /** A MeshError code, or `internal`. */
  readonly code: string;
  readonly message: string;
}

/** Tells the parent, if there is one that listens; never throws. */
export function reportToParent(message: ChildMessage): void {
  if (process.send === undefined || !process.connected) return;
  // A channel that breaks meanwhile is noticed by onParentGone; a send error says nothing more.
  process.send(message, undefined, undefined, () => {});
}

/** Calls back once when a parent with an IPC channel has died; never where there was none. */
export function onParentGone(callback: () => void): void {
  if (process.send === undefined) return;
  process.once('disconnect', callback);
  // Listening must not keep a process alive that has nothing else to do.
  process.channel?.unref();
}

/** Narrows what came over a channel; null for anything that is not one of ours. */
export function readChildMessage(value: unknown): ChildMessage | null {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return null;
  switch (value.kind) {
    case 'listening':
    case 'ready':
    case 'state':
    case 'left':
    case 'failed':
      // The peer is our own program of the same version: the kind is enough.
      return value as ChildMessage;
    default:
      return null;
  }
}

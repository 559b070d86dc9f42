// What the open-loop generator asks of a protocol.

export interface Paced {
  /** Sends a request, or keeps it until a connection is free; `due` goes with it. */
  send(due: number): void;
  close(): void;
}

export interface PacedSpec {
  readonly host: string;
  readonly port: number;
  readonly authority: string;
  readonly path: string;
  readonly connections: number;
  /** HTTP/2: the most on one connection. */
  readonly streams: number;
  readonly grpc: boolean;
  /** An answer is whole; `due` as it was given. */
  onAnswer(due: number, ok: boolean): void;
  /** A connection broke: what was on it and what it would have carried fails. */
  onFailure(reason: string): void;
}

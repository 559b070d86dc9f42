// What the bench and the processes that hold its proxies say to each other.
import type { ProxyIdentity } from './identities.ts';

export type Order =
  /** Connects all of them, some at a time. */
  | {
      readonly kind: 'start';
      readonly address: Address;
      readonly proxies: readonly ProxyIdentity[];
      readonly movers: readonly string[];
    }
  /** Says goodbye; the change that others are to see begins now. */
  | { readonly kind: 'leave'; readonly instance: string }
  /** Comes back with another port. */
  | { readonly kind: 'join'; readonly instance: string; readonly port: number }
  /** Answered with a Report of what has come since the last one. */
  | { readonly kind: 'collect'; readonly ask: number };

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Report {
  readonly kind: 'report';
  readonly ask: number;
  /** Proxies with a stream whose newest response was acknowledged. */
  readonly current: number;
  /** When the last of them became so; monotonic, ms. */
  readonly currentAt: number;
  readonly responses: number;
  /** Of them, those to proxies that do not move. */
  readonly stillResponses: number;
  /** Resources and removals in them. */
  readonly bodies: number;
  /** When the last response came. */
  readonly lastAt: number;
  /** Streams that ended without being asked to. */
  readonly losses: number;
  /** What began here: id of the change → when. */
  readonly begun: readonly (readonly [string, number])[];
  /** What arrived here, at proxies that do not move: id of the change, when. */
  readonly arrived: readonly (readonly [string, number])[];
  /** Longest that this process was away from its sockets, in ms: what it adds to what it measures, at most. */
  readonly stall: number;
}

export function goneId(instance: string, port: number): string {
  return `${instance}:${port} gone`;
}

export function comeId(instance: string, port: number): string {
  return `${instance}:${port} there`;
}

/** One clock for all processes of the machine, in ms. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

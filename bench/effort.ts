// How much is measured: by profile, each part of which an option overrides.

export interface Effort {
  /** Seconds under load of every proxy before anything is counted; proxies without a JIT get at most 5. */
  readonly warmup: number;
  /** Subject and base at the same time, then the peers: each has less of the core, and it takes less time. */
  readonly warmTogether: boolean;
  /** Seconds of load that are not counted when a point begins. */
  readonly settle: number;
  readonly rounds: number;
  readonly seconds: number;
  /** Rounds of peers other than Envoy. */
  readonly peerRounds: number;
  readonly fixedRounds: number;
  readonly fixedSeconds: number;
  /** Rounds where throughput of bodies is measured. */
  readonly bodyRounds: number;
  readonly soakMinutes: number;
  /** Peers at every point. */
  readonly allPeers: boolean;
}

export const PROFILES: Readonly<Record<string, Effort>> = {
  /** The rules as they are: 7 rounds, 20 s of warm-up. More than an hour. */
  full: {
    warmup: 20,
    warmTogether: false,
    settle: 2,
    rounds: 7,
    seconds: 4,
    peerRounds: 7,
    fixedRounds: 7,
    fixedSeconds: 6,
    bodyRounds: 7,
    soakMinutes: 5,
    allPeers: true,
  },
  /** The same rules in half an hour: shorter rounds, proxies warmed up side by side, peers in fewer rounds. */
  release: {
    warmup: 20,
    warmTogether: true,
    settle: 0,
    rounds: 7,
    seconds: 2,
    peerRounds: 2,
    fixedRounds: 3,
    fixedSeconds: 2,
    bodyRounds: 4,
    soakMinutes: 5,
    allPeers: false,
  },
  /** While working: some minutes, no figures to publish. */
  quick: {
    warmup: 2,
    warmTogether: true,
    settle: 0,
    rounds: 2,
    seconds: 2,
    peerRounds: 1,
    fixedRounds: 1,
    fixedSeconds: 2,
    bodyRounds: 2,
    soakMinutes: 0.5,
    allPeers: false,
  },
};

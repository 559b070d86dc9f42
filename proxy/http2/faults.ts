// How often connections ended because their peer broke the rules, by side and error code: what a flood looks like
// from outside.

const NAMES: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
];

export type PeerSide = 'downstream' | 'upstream';

export interface FaultCount {
  readonly side: PeerSide;
  /** By its name in RFC 9113 §7. */
  readonly code: string;
  readonly count: number;
}

export class Http2Faults {
  readonly #counts = { downstream: new Map<number, number>(), upstream: new Map<number, number>() };

  count(side: PeerSide, code: number): void {
    const counts = this.#counts[side];
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }

  values(): readonly FaultCount[] {
    return (['downstream', 'upstream'] as const).flatMap((side) =>
      [...this.#counts[side]].map(([code, count]) => ({ side, code: NAMES[code] ?? String(code), count })),
    );
  }
}

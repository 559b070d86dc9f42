// What the control plane is answered when it asks for decisions: newest first, and never more than a message holds.
import type { DecisionsAnswer } from '../../proto/gen/weft/v1/DecisionsAnswer.ts';
import type { DecisionsQuery__Output } from '../../proto/gen/weft/v1/DecisionsQuery.ts';

/** The proxy's ring; what it holds becomes JSON. */
export interface DecisionSource {
  /** Newest first. */
  list(limit: number): readonly object[];
  find(id: string): object | null;
}

const DEFAULT_DECISIONS = 100;
const MOST_DECISIONS = 4_096;
/** Characters of all of them; the control plane takes requests of 4 MiB. */
const MOST_CHARACTERS = 1_048_576;
const MOST_ASK = 200;

export function answerQuery(
  { ask, requestId, limit }: DecisionsQuery__Output,
  source: DecisionSource,
): DecisionsAnswer {
  const most = Math.min(limit === 0 ? DEFAULT_DECISIONS : limit, MOST_DECISIONS);
  const found = requestId === '' ? source.list(most) : [source.find(requestId)].filter((one) => one !== null);
  const decisions: string[] = [];
  let room = MOST_CHARACTERS;
  for (const one of found) {
    const text = JSON.stringify(one);
    room -= text.length;
    if (room < 0) break;
    decisions.push(text);
  }
  return { ask: ask.slice(0, MOST_ASK), decisions };
}

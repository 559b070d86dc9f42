// Every fuzz target by name. A new one is a function in targets/ and a line here.
import type { FuzzTarget } from './target.ts';
import { http1ForwardedAnswers, http1ForwardedRequests } from './targets/http1-forwarded.ts';
import { http1Answers, http1AnswerSplits, http1Requests, http1RequestSplits } from './targets/http1.ts';
import { hpackBlocks, hpackRoundTrip, http2Clients, http2Servers, http2Splits } from './targets/http2.ts';

/** Each call makes the target anew; close it in the end. */
export const TARGETS: readonly (() => FuzzTarget)[] = [
  http1Requests,
  http1Answers,
  http1RequestSplits,
  http1AnswerSplits,
  http1ForwardedRequests,
  http1ForwardedAnswers,
  http2Clients,
  http2Servers,
  http2Splits,
  hpackBlocks,
  hpackRoundTrip,
];

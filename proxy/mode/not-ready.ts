// What a listening socket does before the first view: it answers, and says that nobody is there yet.
import { MeshError } from '../../core/kit/error.ts';
import type { IdSource } from '../filter/ids.ts';
import type { ExchangePlan } from '../forward/plan.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { sayFailure } from './inbound.ts';
import { createPlan } from './plan-context.ts';

export function notReadyPlan(ids: IdSource, record: Recorder): ExchangePlan {
  return createPlan(
    { ids, record },
    {
      route: () => new MeshError('no-endpoint', { detail: 'there is no view yet', unprocessed: true }),
      onRequest: () => {},
      // A sidecar that has just restarted is in its callers' views already: they may try another instance.
      onLocalAnswer: sayFailure,
    },
  );
}

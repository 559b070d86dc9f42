// What a listening socket does before the first view: it answers, and says that nobody is there yet.
import { MeshError } from '../../core/kit/error.ts';
import type { IdSource } from '../filter/ids.ts';
import type { ExchangePlan } from '../forward/plan.ts';
import type { TcpPlan } from '../tcp/plan.ts';
import type { ConnectionRecorder, Recorder } from '../telemetry/recorder.ts';
import { createPlan } from './plan-context.ts';
import { sayFailure } from './say-failure.ts';

/** The same for connections that are bytes: other sidecars try another instance. */
export function notReadyTcpPlan(record: ConnectionRecorder): TcpPlan {
  return {
    route: () => new MeshError('no-endpoint', { detail: 'there is no view yet', unprocessed: true }),
    record,
  };
}

/** `toMesh`: who asks is another sidecar, which is told that it may try another instance meanwhile. */
export function notReadyPlan(ids: IdSource, record: Recorder, toMesh: boolean): ExchangePlan {
  const wait = (): MeshError => new MeshError('no-endpoint', { detail: 'there is no view yet', unprocessed: true });
  return createPlan(
    { ids, record },
    {
      route: wait,
      connect: wait,
      onRequest: () => {},
      ...(toMesh ? { onLocalAnswer: sayFailure } : {}),
    },
  );
}

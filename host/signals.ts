// One place for SIGTERM and SIGINT: the first asks to stop in order, the second to stop now.

export interface StopSignals {
  /** Aborted by the first signal; `reason` is its name. */
  readonly stop: AbortSignal;
  /** Aborted by the second. */
  readonly now: AbortSignal;
  /** Stops as if a signal had come: the parent is gone, the child of `weft run` ended. */
  requestStop(reason: string): void;
  /** Takes the handlers away again. */
  close(): void;
}

export function watchStopSignals(target: NodeJS.EventEmitter = process): StopSignals {
  const stop = new AbortController();
  const now = new AbortController();
  const requestStop = (reason: string): void => {
    if (stop.signal.aborted) now.abort(reason);
    else stop.abort(reason);
  };
  const onTerm = (): void => requestStop('SIGTERM');
  const onInt = (): void => requestStop('SIGINT');
  target.on('SIGTERM', onTerm);
  target.on('SIGINT', onInt);
  return {
    stop: stop.signal,
    now: now.signal,
    requestStop,
    close() {
      target.off('SIGTERM', onTerm);
      target.off('SIGINT', onInt);
    },
  };
}

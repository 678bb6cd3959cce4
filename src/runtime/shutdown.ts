export interface Shutdown {
  /** Aborts at the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
  /** Stops listening to signals. */
  dispose(): void;
}

/** Longest a stop may take before the process leaves anyway; what was not committed is done again by the next one. */
const GRACE_MS = 5_000;

/** The first signal asks for a stop within 5 s, the second ends the process at once. */
export function listenForShutdown(onFirst: () => void): Shutdown {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    onFirst();
    controller.abort();
    setTimeout(() => process.exit(130), GRACE_MS).unref();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return {
    signal: controller.signal,
    dispose() {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
    },
  };
}

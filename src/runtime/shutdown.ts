export interface Shutdown {
  /** Aborts at the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
  /** Stops listening to signals. */
  dispose(): void;
}

/** Longest a stop may take before the process leaves anyway; what was not committed is done again by the next one. */
const GRACE_MS = 5_000;

/**
 * The first signal asks for a stop within 5 s, the second ends the process at once.
 *
 * @param letGo asks for a stop as well, and is no signal: a terminal sends its own to all processes, also to those that are
 *   told to stop by the one that started them.
 */
export function listenForShutdown(onFirst: () => void, letGo?: AbortSignal): Shutdown {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) return;
    onFirst();
    controller.abort();
    setTimeout(() => process.exit(130), GRACE_MS).unref();
  };
  let isSecond = false;
  const onSignal = (): void => {
    if (isSecond) process.exit(130);
    isSecond = true;
    stop();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  letGo?.addEventListener('abort', stop);
  if (letGo?.aborted === true) stop();
  return {
    signal: controller.signal,
    dispose() {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
      letGo?.removeEventListener('abort', stop);
    },
  };
}

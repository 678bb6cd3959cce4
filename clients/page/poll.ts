/** Asks again and again while somebody looks, and not while nobody does. */
export interface Poll {
  start(): void;
  stop(): void;
  /** Asks at once, or right after the question that is under way. */
  now(): void;
}

/** After a question that could not be asked at all, ms. */
const FAILED_MS = 20_000;

/** @param ask resolves to ms until the next question. */
export function createPoll(ask: () => Promise<number>): Poll {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOn = false;
  let isAsking = false;
  let isWanted = false;

  async function round(): Promise<void> {
    clearTimeout(timer);
    if (!isOn || document.visibilityState === 'hidden') return;
    if (isAsking) {
      isWanted = true;
      return;
    }
    isAsking = true;
    const waitMs = await ask().catch((error: unknown) => {
      reportError(error);
      return FAILED_MS;
    });
    isAsking = false;
    const next = isWanted ? 0 : waitMs;
    isWanted = false;
    if (isOn && document.visibilityState === 'visible') timer = setTimeout(() => void round(), next);
  }

  document.addEventListener('visibilitychange', () => void round());
  window.addEventListener('online', () => void round());
  return {
    start() {
      isOn = true;
      void round();
    },
    stop() {
      isOn = false;
      clearTimeout(timer);
    },
    now: () => void round(),
  };
}

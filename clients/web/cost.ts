/** What the recorder costs the page, and what it lost. */
export interface Cost {
  /** Bodies of requests, also of those that were sent again. */
  bytesSent: number;
  requests: number;
  /** Time in handlers and in encoding, on the page's own thread, ms. */
  handlerMs: number;
  /** Timers that fired. */
  wakeUps: number;
  /** Events captured. */
  captured: number;
  /** Events that the gateway has acknowledged. */
  acknowledged: number;
  readonly dropped: {
    /** The spool was full, or a handler failed: the session has a gap there. */
    spool: number;
    /** They waited when their session was over, or what they waited for was refused. */
    unsent: number;
  };
}

export const newCost = (): Cost => ({
  bytesSent: 0,
  requests: 0,
  handlerMs: 0,
  wakeUps: 0,
  captured: 0,
  acknowledged: 0,
  dropped: { spool: 0, unsent: 0 },
});

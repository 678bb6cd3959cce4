/** What the recorder costs the page, and what it lost. */
export interface Cost {
  /** Bodies of requests, also of those that were sent again. */
  bytesSent: number;
  requests: number;
  /** Time in handlers and in packing, on the page's own thread, ms. */
  handlerMs: number;
  /** Timers that fired. */
  wakeUps: number;
  /** Events captured. */
  captured: number;
  /** Events that the gateway has acknowledged. */
  acknowledged: number;
  /** Events that were not taken: the spool was full, a handler failed, a text was too long or not to be told. The session has a gap there. */
  dropped: number;
  /** Events that were captured and waited when their session was over, or were refused. */
  unsent: number;
}

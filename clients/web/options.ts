import type { Cost } from './cost.ts';

export interface RecorderOptions {
  /** Address of the gateway, such as `https://gateway.example.org`. */
  readonly gateway: string;
  /** A device token. Behind a proxy that signs people in: none. */
  readonly token?: string;
  /** More headers for each request, such as a token that is renewed. */
  readonly headers?: () => HeadersInit | Promise<HeadersInit>;
  /** Of requests; `include` where a proxy on another origin signs people in by cookie. By default `same-origin`. */
  readonly credentials?: RequestCredentials;
  /** The person, written as the operator wrote it. */
  readonly subject: string;
  /** Name of this recording device, 1 to 128 characters; another for each tab that records at the same time. */
  readonly device: string;
  /** Name of the application in contexts; `Web`. */
  readonly app?: string;
  /** The page to record; by default the one that this runs in. */
  readonly window?: Window & typeof globalThis;
  /** Called with each change. */
  readonly onState?: (state: RecorderState) => void;
  /** A batch is sent so long after its first event, ms; 5,000. */
  readonly flushMs?: number;
  /** Least time between two pointer moves, ms; 100. */
  readonly moveMs?: number;
  /** Batches that wait in memory, at most; 16. Each has at most 64 KiB and 500 events. */
  readonly maxWaiting?: number;
  /**
   * Whether batches may be sent unsealed where the browser cannot seal: the gateway then sees them before it seals them
   * itself. By default nothing is recorded there.
   */
  readonly allowUnsealed?: boolean;
}

export interface RecorderState {
  /**
   * `stopped`: by `stop`, or not started. `connecting`: no session yet. `recording`. `refused`: the gateway grants none
   * now; it is asked again when the person does something after a while. `failed`: it will not be asked again until
   * `start`.
   */
  readonly status: 'stopped' | 'connecting' | 'recording' | 'refused' | 'failed';
  /** Why: a reason of docs/recorders.md, or `sealing_unsupported`, `bad_grant`, `seal_failed`, `no_answer`. */
  readonly reason: string | null;
  /** End of a pause, ms since 1970-01-01 UTC. */
  readonly until: number | null;
}

export interface Recorder {
  /** Asks for a session, and records from when it is granted. Does nothing if it is running. */
  readonly start: () => void;
  /**
   * Records nothing more, sends what waits in one try, ends the session. It still sees which fields are edited: after another
   * `start` their values are not told.
   */
  readonly stop: () => Promise<void>;
  /**
   * Stops recording at once, drops what waits, and tells the gateway. Whatever that answers, nothing is recorded here
   * for these minutes, or until `resume`.
   *
   * @param minutes 1 to 30; others become the nearest of these.
   * @returns whether the gateway has the pause: only then it holds on the person's other devices and after the page is loaded
   *   again. Without an answer it is told again until it has it, also after `stop`.
   */
  readonly pause: (minutes: number) => Promise<boolean>;
  /** Ends a pause; recording goes on when the gateway grants a session again. @returns whether the gateway knows. */
  readonly resume: () => Promise<boolean>;
  /** A copy. */
  readonly cost: () => Cost;
}

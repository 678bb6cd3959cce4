/**
 * Records what a person does in a web page and hands it to the gateway (docs/recorders.md). It has no dependencies, needs no
 * `eval`, keeps everything in memory, and writes nothing to the console.
 */
import { startCapture, type Capture } from './capture.ts';
import { newCost, type Cost } from './cost.ts';
import { createGateway, readGrant, type Answer, type Grant } from './gateway.ts';
import { encodePayload, zstdFrame } from './payload.ts';
import { createRules, type Rules } from './rules.ts';
import { canSeal, createSealer, SUITE, type Sealer } from './seal.ts';
import { createSpool, type Spool, type Waiting } from './spool.ts';

export type { Cost } from './cost.ts';

export interface RecorderOptions {
  /** Address of the gateway, such as `https://gateway.example.org`. */
  readonly gateway: string;
  /** A device token, or what makes the headers of each request. Behind a proxy that signs people in: neither. */
  readonly token?: string;
  readonly headers?: () => HeadersInit | Promise<HeadersInit>;
  /** Of requests; `include` where a proxy on another origin signs people in by cookie. By default `same-origin`. */
  readonly credentials?: RequestCredentials;
  /** The person, written as the operator wrote it. */
  readonly subject: string;
  /** Name of this recording device, 1 to 128 characters; another for each tab that records at the same time. */
  readonly device: string;
  /** Name of the application in contexts; by default the browser's. */
  readonly app?: string;
  /** Whether this is a private window, if it can be known: then nothing is recorded. A page cannot know; an extension can. */
  readonly private?: boolean;
  /** The page to record; by default the one that this runs in. */
  readonly window?: Window & typeof globalThis;
  /** Called with each change. */
  readonly onState?: (state: RecorderState) => void;
  /** A batch is sent so long after its first event, ms; 5,000. */
  readonly flushMs?: number;
  /** Least time between two pointer moves, ms; 100. */
  readonly moveMs?: number;
  /** Most that waits in memory; 1 MiB and 20,000 events. */
  readonly maxSpoolBytes?: number;
  readonly maxSpoolEvents?: number;
  /**
   * Whether batches may be sent unsealed where the browser cannot seal: the gateway then sees them before it seals them
   * itself. By default nothing is recorded there.
   */
  readonly allowUnsealed?: boolean;
  /** Clock, timers, chance and network, for tests. */
  readonly host?: Partial<Host>;
}

export interface Host {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Milliseconds since whenever, for the cost. */
  elapsed(): number;
  setTimeout(work: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** From 0 up to 1. */
  random(): number;
  readonly fetch: typeof fetch;
  readonly subtle: SubtleCrypto | undefined;
}

export interface RecorderState {
  /**
   * `stopped`: by `stop`, or not started. `connecting`: no session yet. `recording`. `refused`: the gateway grants none
   * now; it is asked again when the person does something after a while. `failed`: it will not be asked again until
   * `start`.
   */
  readonly status: 'stopped' | 'connecting' | 'recording' | 'refused' | 'failed';
  /** Why: a reason of docs/recorders.md, or `sealing_unsupported`, `bad_grant`, `private_window`, `no_answer`. */
  readonly reason: string | null;
  /** End of a pause, ms since 1970-01-01 UTC. */
  readonly until: number | null;
}

export interface Recorder {
  /** Asks for a session, and records from when it is granted. Does nothing if it is running. */
  start(): void;
  /** Records nothing more, sends what waits in one try, ends the session. */
  stop(): Promise<void>;
  /**
   * Stops recording at once, drops what waits, and tells the gateway. Whatever that answers, nothing is recorded here
   * for these minutes, or until `resume`.
   *
   * @param minutes 1 to 30.
   * @returns whether the gateway has the pause: only then it holds on the person's other devices too.
   */
  pause(minutes: number): Promise<boolean>;
  /** Ends a pause; recording goes on when the gateway grants a session again. @returns whether the gateway knows. */
  resume(): Promise<boolean>;
  state(): RecorderState;
  /** A copy. */
  cost(): Cost;
}

/** With room for the seal and headers of the protocol within the 64 KiB that a page may leave behind. */
const BATCH_BYTES = 49_152;
const BATCH_EVENTS = 500;
/** What a batch grows by when it is packed and sealed. */
const SEAL_BYTES = 256;
/** Least time between two requests for a session, ms. */
const ASK_MS = 5_000;
/** The same after a refusal that is no pause. */
const REFUSED_MS = 60_000;
/** Back-off: from the first, doubled with each try up to the second, ms. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** So long before a session ends the next one is asked for, ms. */
const RENEW_MS = 20_000;

/** Tries to tell the gateway of a pause. */
const PAUSE_TRIES = 4;
const HIDING = ['pagehide', 'visibilitychange'];

const CAPTURE_TYPE = 'application/vnd.redactory.capture';
const SEALED_TYPE = 'application/vnd.redactory.sealed';
const JSON_TYPE = 'application/json';

/** Reasons for which nothing may be recorded for a while. */
const REFUSALS = /^(?:not_enrolled|paused|withdrawn|exempt|erased|over_budget)$/u;
/** Reasons to begin another session. */
const NEXT_SESSION = /^(?:expired|ended|unknown_sealing_key)$/u;
/** Answers after which only this batch is lost. */
const BAD_BATCH = /^(?:too_large|bad_batch|too_many_events|out_of_order)$/u;

interface Session {
  readonly grant: Grant;
  /** By the device's clock, ms. */
  readonly endsAt: number;
  readonly rules: Rules;
  readonly spool: Spool;
  /** Null where batches go unsealed. */
  readonly sealer: Sealer | null;
  readonly abort: AbortController;
  thin: ReadonlySet<string>;
  /** Whether no more events are taken into it: it ends when all is sent. */
  closing: boolean;
  retries: number;
}

export function createRecorder(options: RecorderOptions): Recorder {
  const window = options.window ?? globalThis.window;
  const host: Host = { ...hostOf(window), ...options.host };
  const cost = newCost();
  const { subject, device, flushMs = 5_000, token } = options;
  const app = options.app ?? browserOf(window.navigator.userAgent);
  const ask = createGateway({
    url: options.gateway,
    headers: () => options.headers?.() ?? (token === undefined ? {} : { authorization: `Bearer ${token}` }),
    credentials: options.credentials ?? 'same-origin',
    fetch: host.fetch,
    setTimer,
    cost,
  });

  let state: RecorderState = { status: 'stopped', reason: null, until: null };
  let capture: Capture | null = null;
  let session: Session | null = null;
  /** Counts what makes answers that are still to come worthless: stop, pause, another session. */
  let turn = 0;
  let asking = false;
  /** No session is asked for before, ms. */
  let askAfter = 0;
  let asks = 0;
  /** Until when the person has paused here, whatever the gateway says, ms. */
  let pausedUntil = 0;
  let sending: Promise<void> | null = null;
  let measuring = false;
  /** Stops the timer of the batch that is being filled; of waiting before another try. */
  let flushing: (() => void) | null = null;
  let resting: (() => void) | null = null;

  function setTimer(work: () => void, ms: number): () => void {
    const timer = host.setTimeout(() => {
      cost.wakeUps++;
      work();
    }, ms);
    return () => host.clearTimeout(timer);
  }

  function become(status: RecorderState['status'], reason: string | null = null, until: number | null = null): void {
    if (state.status === status && state.reason === reason && state.until === until) return;
    state = { status, reason, until };
    try {
      options.onState?.(state);
    } catch {
      // The page's own fault, which must not become the recorder's.
    }
  }

  function measured<T>(work: () => T): T {
    if (measuring) return work();
    measuring = true;
    const started = host.elapsed();
    try {
      return work();
    } finally {
      measuring = false;
      cost.handlerMs += host.elapsed() - started;
    }
  }

  // --- events ---

  function onEvent(work: () => void, always = false): void {
    measured(() => {
      try {
        if (always || isTaking()) work();
        else if (session === null) askIfDue();
      } catch {
        // The console may be read by others, and what is missing must be seen to be missing.
        lose();
      }
    });
  }

  /** Asked before every event; it also sees that a session is over by its time. */
  function isTaking(): boolean {
    if (session === null || session.closing) return false;
    const now = host.now();
    if (now < session.endsAt - RENEW_MS) return true;
    renew(session);
    return false;
  }

  function lose(): void {
    cost.dropped.spool++;
    session?.spool.skip();
  }

  function startCapturing(): Capture {
    return startCapture({
      window,
      app,
      moveMs: options.moveMs ?? 100,
      now: () => host.now(),
      guard: onEvent,
      wants: (kind, context) =>
        session !== null &&
        session.rules.kinds.has(kind) &&
        !session.thin.has(kind) &&
        !session.rules.excludes(context),
      take(event, context, element) {
        if (session === null) return;
        if (!session.spool.add(event, context, element)) return lose();
        cost.captured++;
        if (resting !== null) return;
        if (session.spool.waiting.length > 0) void send();
        flushing ??= setTimer(flush, flushMs);
      },
    });
  }

  /** The page may never be heard of again: what there is leaves now. */
  function onHidden({ type }: Event): void {
    if (type !== 'pagehide' && window.document.visibilityState !== 'hidden') return;
    measured(flush);
    const current = session;
    if (type !== 'pagehide' || current === null || resting !== null) return;
    // Behind the one that is on its way, not after it. If the page lives on, they are sent again.
    for (const batch of current.spool.waiting.slice(1)) void put(current, batch, true).catch(() => undefined);
  }

  function listen(): void {
    capture = startCapturing();
    for (const type of HIDING) window.addEventListener(type, onHidden, true);
  }

  function hush(): void {
    capture?.stop();
    capture = null;
    for (const type of HIDING) window.removeEventListener(type, onHidden, true);
  }

  // --- sessions ---

  function askIfDue(): void {
    if (asking || host.now() < Math.max(askAfter, pausedUntil)) return;
    void open();
  }

  async function open(): Promise<void> {
    asking = true;
    const mine = ++turn;
    const askedAt = host.now();
    askAfter = askedAt + ASK_MS;
    become('connecting');
    const sealing = await canSeal(host.subtle);
    if (mine !== turn) return;
    if (!sealing && options.allowUnsealed !== true) return fail('sealing_unsupported');
    const body = JSON.stringify({ device });
    const answer = await ask({ method: 'POST', path: '/v1/sessions', type: JSON_TYPE, body });
    if (mine !== turn) return giveBack(answer);
    if (answer.status !== 201) {
      asking = false;
      return refused(answer);
    }
    const granted = await begin(answer, askedAt, sealing).catch(() => undefined);
    if (mine !== turn) return giveBack(answer);
    asking = false;
    if (granted === undefined) return fail('bad_grant');
    session = granted;
    asks = 0;
    become('recording');
    capture?.forget();
    capture?.arrive();
  }

  /** A session that came too late is not left open. */
  function giveBack({ body }: Answer): void {
    const grant = readGrant(body);
    if (grant !== undefined) void ask({ method: 'DELETE', path: pathOf(grant) });
  }

  /** @throws where the grant's key cannot be sealed to. */
  async function begin({ body }: Answer, askedAt: number, sealing: boolean): Promise<Session | undefined> {
    const grant = readGrant(body);
    if (grant === undefined || grant.sealing.suite !== SUITE) return undefined;
    const { publicKey, keyId } = grant.sealing;
    const sealer = sealing && host.subtle ? await createSealer(host.subtle, publicKey, keyId) : null;
    const { limits } = grant;
    return {
      grant,
      // As long as the grant, from when it was asked for: the two clocks may differ.
      endsAt: askedAt + grant.endsAt - grant.grantedAt,
      rules: createRules(grant.record),
      spool: createSpool(subject, device, {
        batchBytes: Math.min(BATCH_BYTES, limits.maxBodyBytes - SEAL_BYTES),
        batchEvents: Math.min(BATCH_EVENTS, limits.maxEventsPerBatch),
        bytes: options.maxSpoolBytes ?? 1_048_576,
        events: options.maxSpoolEvents ?? 20_000,
      }),
      sealer,
      abort: new AbortController(),
      thin: new Set(),
      closing: false,
      retries: 0,
    };
  }

  /** The next event is not taken: from here on there is no session, and nothing waits. */
  function close(): void {
    turn++;
    asking = false;
    stopTimers();
    const over = session;
    if (over === null) return;
    session = null;
    cost.dropped.unsent += over.spool.size;
    over.abort.abort();
  }

  function stopTimers(): void {
    flushing?.();
    resting?.();
    flushing = resting = null;
  }

  /** Ends a session that has all but run out; the next begins when all of it is sent. */
  function renew(old: Session): void {
    if (host.now() < old.endsAt) return end(old);
    close();
    void open();
  }

  function end(old: Session): void {
    old.closing = true;
    const { spool, rules } = old;
    if (spool.used && rules.kinds.has('session_end')) {
      spool.add({ kind: 'session_end', at: Math.round(host.now()) }, null, null);
    }
    flush();
  }

  function fail(reason: string): void {
    close();
    hush();
    become('failed', reason);
  }

  /** A session was refused, or ended by a decision. */
  function refused({ status, reason, retryAfterMs, until }: Answer): void {
    close();
    const now = host.now();
    if (REFUSALS.test(reason)) {
      askAfter = now + Math.max(retryAfterMs, reason === 'paused' ? ASK_MS : REFUSED_MS);
      become('refused', reason, until);
    } else if (status === 0 || status === 429 || status >= 500) {
      askAfter = now + Math.max(retryAfterMs, ASK_MS, backOff(asks++));
      become('connecting', reason === '' ? 'no_answer' : reason);
    } else {
      fail(reason === '' ? `status_${status}` : reason);
    }
  }

  /** Between half and all of a time that doubles with each try, ms. */
  const backOff = (tries: number): number => (0.5 + host.random() / 2) * Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** tries);

  // --- batches ---

  function flush(): void {
    flushing?.();
    flushing = null;
    session?.spool.close();
    capture?.forget();
    if (resting === null) void send();
  }

  function send(): Promise<void> {
    sending ??= sendAll().finally(() => {
      sending = null;
      // Of a session that has begun meanwhile.
      if (session !== null && session.spool.waiting.length > 0 && resting === null) void send();
    });
    return sending;
  }

  /** One batch after the other, until none waits or one must wait longer. */
  async function sendAll(): Promise<void> {
    const current = session;
    if (current === null) return;
    for (let [batch] = current.spool.waiting; batch !== undefined; [batch] = current.spool.waiting) {
      if ((await sendOne(current, batch)) === 'again' || session !== current) return;
    }
    if (!current.closing || capture === null) return;
    close();
    void open();
  }

  async function sendOne(current: Session, batch: Waiting): Promise<'again' | 'done'> {
    let answer: Answer;
    try {
      answer = await put(current, batch);
    } catch {
      if (session === current) fail('seal_failed');
      return 'done';
    }
    if (session !== current) return 'done';
    return measured(() => settle(current, batch, answer));
  }

  async function put(current: Session, batch: Waiting, isLast = false): Promise<Answer> {
    const { grant, sealer, abort } = current;
    batch.body ??= pack(current, batch);
    const body = await batch.body;
    return ask({
      method: 'PUT',
      path: `${pathOf(grant)}/batches/${batch.sequence}`,
      type: sealer === null ? CAPTURE_TYPE : SEALED_TYPE,
      body,
      signal: abort.signal,
      isLast,
    });
  }

  async function pack({ sealer, grant }: Session, { payload, sequence }: Waiting): Promise<Uint8Array<ArrayBuffer>> {
    const packed = measured(() => zstdFrame(encodePayload(payload)));
    return sealer === null
      ? packed
      : sealer.seal({ session: grant.session, sequence, grantedAt: grant.grantedAt }, packed);
  }

  /** What an answer means for the batch, and for the session. */
  function settle(current: Session, { payload }: Waiting, answer: Answer): 'again' | 'done' {
    const { status, reason, body } = answer;
    if (status !== 200 && !BAD_BATCH.test(reason)) return notTaken(current, answer);
    current.spool.shift();
    if (status === 200) {
      current.retries = 0;
      cost.acknowledged += payload.events.length;
      const { thin } = body;
      current.thin = new Set(Array.isArray(thin) ? thin : []);
    } else {
      cost.dropped.unsent += payload.events.length;
    }
    return 'done';
  }

  function notTaken(current: Session, answer: Answer): 'again' | 'done' {
    const { status, reason, retryAfterMs } = answer;
    if (status === 0 || status >= 500 || (status === 429 && reason !== 'over_budget')) {
      const wait = retryAfterMs + backOff(current.retries++);
      if (host.now() + wait < current.endsAt) {
        resting = setTimer(() => {
          resting = null;
          measured(flush);
        }, wait);
        return 'again';
      }
      close();
      become('connecting', reason === '' ? 'no_answer' : reason);
    } else if (status === 404 || NEXT_SESSION.test(reason)) {
      close();
      become('connecting');
      askIfDue();
    } else {
      refused(answer);
    }
    return 'done';
  }

  // --- the page's side ---

  return {
    start() {
      if (capture !== null) return;
      if (options.private === true) return become('failed', 'private_window');
      close();
      listen();
      if (host.now() < pausedUntil) become('refused', 'paused', pausedUntil);
      else void open();
    },

    async stop() {
      hush();
      const last = session;
      if (last === null) close();
      become('stopped');
      if (last === null) return;
      resting?.();
      resting = null;
      end(last);
      await send();
      if (session === last) close();
      await ask({ method: 'DELETE', path: pathOf(last.grant) });
    },

    async pause(minutes) {
      const whole = Math.min(30, Math.max(1, Math.ceil(minutes) || 30));
      pausedUntil = host.now() + whole * 60_000;
      close();
      if (capture !== null) become('refused', 'paused', pausedUntil);
      const mine = turn;
      const body = JSON.stringify({ minutes: whole });
      for (let tries = 0; tries < PAUSE_TRIES; tries++) {
        if (mine !== turn) return false;
        if (tries > 0) await new Promise<void>((go) => setTimer(go, backOff(tries)));
        const { status } = await ask({ method: 'POST', path: '/v1/me/pause', type: JSON_TYPE, body });
        if (status !== 0 && status !== 429 && status < 500) return status === 200;
      }
      return false;
    },

    async resume() {
      pausedUntil = 0;
      askAfter = 0;
      if (session === null) close();
      const mine = turn;
      const { status } = await ask({ method: 'POST', path: '/v1/me/resume' });
      if (mine === turn && capture !== null && session === null) void open();
      return status === 200;
    },

    state: () => state,
    cost: () => ({ ...cost, dropped: { ...cost.dropped } }),
  };
}

const pathOf = ({ session }: Grant): string => `/v1/sessions/${encodeURIComponent(session)}`;

function hostOf(window: Window & typeof globalThis): Host {
  return {
    now: () => Date.now(),
    elapsed: () => window.performance.now(),
    setTimeout: (work, ms) => window.setTimeout(work, ms),
    clearTimeout: (timer) => window.clearTimeout(timer as number), // of setTimeout above
    random: () => Math.random(),
    fetch: window.fetch.bind(window),
    subtle: window.crypto.subtle,
  };
}

function browserOf(agent: string): string {
  if (agent.includes('Edg/')) return 'Microsoft Edge';
  if (agent.includes('Firefox/')) return 'Firefox';
  if (agent.includes('Chrome/')) return 'Google Chrome';
  return agent.includes('Safari/') ? 'Safari' : 'Browser';
}

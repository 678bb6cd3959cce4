/**
 * Records what a person does in a web page and hands it to the gateway (docs/recorders.md). It has no dependencies, needs no
 * `eval`, keeps everything in memory, and writes nothing to the console.
 */
import { createBatch, type Batch } from './batch.ts';
import type { Bytes } from './bytes.ts';
import { startCapture, type Capture } from './capture.ts';
import type { Cost } from './cost.ts';
import { createAsk, KEEPALIVE_BYTES, type Answer } from './gateway.ts';
import type { Recorder, RecorderOptions, RecorderState } from './options.ts';
import { createRules, type Recordable, type Rules } from './rules.ts';
import { canMakeKeys, createSeal, type Seal } from './seal.ts';

export type { Cost } from './cost.ts';
export type { Recorder, RecorderOptions, RecorderState } from './options.ts';

/** A batch is closed from so many bytes on: with one event more it still fits into what a page may leave behind, 64 KiB. */
const BATCH_BYTES = 40_960;
const BATCH_EVENTS = 500;
/** What a batch grows by when it is sealed. */
const SEAL_BYTES = 56;
/** Least time between two requests for a session, ms; the same after a refusal that is no pause. */
const ASK_MS = 5_000;
const REFUSED_MS = 60_000;
/** Back-off: from the first, doubled with each try up to the second, ms. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** So long before a session ends the next one is asked for, ms. */
const RENEW_MS = 20_000;

/** Reasons for which nothing may be recorded for a while. */
const REFUSALS = /^(?:not_enrolled|paused|withdrawn|exempt|erased|over_budget)$/u;
/** Reasons to begin another session. */
const NEXT_SESSION = /^(?:not_found|expired|ended|unknown_sealing_key)$/u;
/** Reasons for which only this batch is lost. */
const BAD_BATCH = /^(?:too_large|bad_batch|too_many_events|out_of_order)$/u;

type Timer = ReturnType<typeof setTimeout>;

/** What is needed of a grant. */
interface Grant {
  readonly session: string;
  /** ms; so is the next. */
  readonly grantedAt: number;
  readonly endsAt: number;
  readonly limits: { readonly maxBodyBytes: number; readonly maxEventsPerBatch: number };
  readonly sealing: { readonly keyId: string; readonly publicKey: string; readonly suite: string };
  readonly record: Recordable;
}

interface Waiting {
  readonly sequence: number;
  readonly count: number;
  readonly size: number;
  /** Made once: it is sent again with the same bytes. */
  readonly content: Promise<Bytes>;
}

/** A session that was granted, and what of it is not acknowledged yet: in memory only, and gone with it. */
interface Session {
  readonly grant: Grant;
  readonly path: string;
  /** When it ends by the device's clock, ms. */
  readonly overAt: number;
  readonly rules: Rules;
  /** Null where batches go unsealed. */
  readonly seal: Seal | null;
  /** Closed batches in order; the first may be on its way. */
  readonly waiting: Waiting[];
  /** The batch that is being filled. */
  filling: Batch;
  /** Of the batch that is being filled. */
  sequence: number;
  thin: readonly string[];
  /** Whether no more events are taken into it: it ends when all is sent. */
  closing: boolean;
  retries: number;
}

/**
 * A recorder of one page; it does nothing before `start`.
 *
 * When its memory is full, what is new is dropped, as what is old may be on its way already. The number of a batch is then
 * left out, so that the processors see that something is missing and keep no free text of the session any more.
 */
export function createRecorder(options: RecorderOptions): Recorder {
  const { subject, device, flushMs = 5_000, maxSpoolBytes = 1_048_576, maxSpoolEvents = 20_000 } = options;
  const { window = globalThis.window } = options;
  const cost: Cost = {
    bytesSent: 0,
    requests: 0,
    handlerMs: 0,
    wakeUps: 0,
    captured: 0,
    acknowledged: 0,
    dropped: 0,
    unsent: 0,
  };
  const ask = createAsk(options, cost);

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
  /** The timer of the batch that is being filled, and the one before another try. */
  let flushing: Timer | undefined;
  let resting: Timer | undefined;

  function become(status: RecorderState['status'], reason: string | null = null, until: number | null = null): void {
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
    const started = performance.now();
    try {
      return work();
    } finally {
      measuring = false;
      cost.handlerMs += performance.now() - started;
    }
  }

  const wakeUp = (work: () => void, ms: number): Timer =>
    setTimeout(() => {
      cost.wakeUps++;
      measured(work);
    }, ms);

  /** Between half and all of a time that doubles with each try, ms. */
  const backOff = (tries: number): number => (0.5 + Math.random() / 2) * Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** tries);

  // --- events ---

  function guard(work: () => void, always = false): void {
    measured(() => {
      try {
        if (always || isTaking()) work();
      } catch {
        // The console may be read by others; and what is missing must be seen to be missing.
        lose();
      }
    });
  }

  /** Asked before every event. It sees that a session is over by its time, and that another may be asked for. */
  function isTaking(): boolean {
    const now = Date.now();
    if (session === null) askIfDue();
    else if (now >= session.overAt) {
      close();
      askIfDue();
    } else if (!session.closing && now >= session.overAt - RENEW_MS) end(session);
    return session !== null && !session.closing;
  }

  function lose(): void {
    cost.dropped++;
    if (session === null) return;
    fill(session);
    session.sequence++;
  }

  function startCapturing(): Capture {
    const { moveMs = 100, app = 'Browser' } = options;
    return startCapture({
      window,
      app,
      moveMs,
      guard,
      onHidden,
      now: Date.now,
      wants: (kind, context) => session !== null && session.rules(kind, context) && !session.thin.includes(kind),
      take(event, context, element) {
        if (session === null) return;
        const { waiting, filling } = session;
        const waits = [...waiting, { count: filling.eventCount(), size: filling.sizeNow() }];
        const sum = (of: 'count' | 'size'): number => waits.reduce((total, each) => total + each[of], 0);
        if (sum('count') >= maxSpoolEvents || sum('size') >= maxSpoolBytes) return lose();
        filling.add(event, context, element);
        cost.captured++;
        const { maxBodyBytes, maxEventsPerBatch } = session.grant.limits;
        if (
          filling.eventCount() >= Math.min(BATCH_EVENTS, maxEventsPerBatch) ||
          filling.sizeNow() >= Math.min(BATCH_BYTES, maxBodyBytes / 2)
        )
          flush();
        else flushing ??= wakeUp(flush, flushMs);
      },
    });
  }

  /** What waits leaves behind the batch that is on its way, not after it. If the page lives on, it is sent again. */
  function onHidden(): void {
    const current = session;
    flush();
    if (current === null || resting !== undefined) return;
    let size = 0;
    current.waiting.forEach((batch, index) => {
      size += batch.size + SEAL_BYTES;
      if (index > 0 && size <= KEEPALIVE_BYTES) void put(current, batch).catch(() => undefined);
    });
  }

  // --- sessions ---

  function askIfDue(): void {
    if (capture !== null && !asking && Date.now() >= Math.max(askAfter, pausedUntil)) void open();
  }

  async function open(): Promise<void> {
    const mine = ++turn;
    const askedAt = Date.now();
    asking = true;
    askAfter = askedAt + ASK_MS;
    become('connecting');
    const canSeal = await canMakeKeys();
    if (mine !== turn) return;
    if (!canSeal && options.allowUnsealed !== true) return fail('sealing_unsupported');
    const answer = await ask('POST', '/v1/sessions', { device });
    if (answer.status !== 201) return mine === turn ? refused(answer) : undefined;
    // What is missing is found out by using it.
    const granted = await begin(answer.said as Grant, askedAt, canSeal).catch(() => null);
    if (mine !== turn) {
      // It came too late, and is not left open.
      if (granted !== null) void ask('DELETE', granted.path);
      return;
    }
    if (granted === null) return fail('bad_grant');
    session = granted;
    asking = false;
    asks = 0;
    become('recording');
    capture?.arrive();
  }

  /** @throws where a part of the grant is missing, or its key cannot be sealed to. */
  async function begin(grant: Grant, askedAt: number, canSeal: boolean): Promise<Session> {
    const { limits, sealing, grantedAt } = grant;
    // As long as the grant, from when it was asked for: the two clocks may differ.
    const overAt = askedAt + grant.endsAt - grantedAt;
    if (!(overAt > askedAt && limits.maxBodyBytes > 0 && limits.maxEventsPerBatch > 0)) throw new RangeError('grant');
    return {
      grant,
      overAt,
      sequence: 0,
      retries: 0,
      closing: false,
      thin: [],
      waiting: [],
      path: `/v1/sessions/${encodeURIComponent(grant.session)}`,
      rules: createRules(grant.record),
      seal: canSeal ? await createSeal(sealing) : null,
      filling: createBatch(subject, device),
    };
  }

  /** The next event is not taken: from here on there is no session, and nothing waits. */
  function close(): void {
    turn++;
    asking = false;
    stopTimers();
    if (session === null) return;
    const { waiting, filling } = session;
    session = null;
    cost.unsent += waiting.reduce((sum, { count }) => sum + count, filling.eventCount());
  }

  function stopTimers(): void {
    clearTimeout(flushing);
    clearTimeout(resting);
    flushing = resting = undefined;
  }

  /** No more events are taken; it is over when all is sent. */
  function end(old: Session): void {
    old.closing = true;
    if (old.filling.eventCount() + old.sequence > 0) {
      old.filling.add({ kind: 'session_end', at: Math.round(Date.now()) }, null, null);
      cost.captured++;
    }
    flush();
  }

  function fail(reason: string): void {
    close();
    release();
    become('failed', reason);
  }

  function release(): void {
    capture?.release();
    capture = null;
  }

  /** A session was refused, or ended by a decision. */
  function refused({ status, said, retryMs }: Answer): void {
    const reason = said.error ?? (status === 0 ? 'no_answer' : `status_${status}`);
    if (REFUSALS.test(reason)) {
      wait(Math.max(retryMs, reason === 'paused' ? ASK_MS : REFUSED_MS));
      become('refused', reason, said.until);
    } else if (isPassing(status)) {
      wait(Math.max(retryMs, ASK_MS, backOff(asks++)));
      become('connecting', reason);
    } else fail(reason);
  }

  function wait(ms: number): void {
    close();
    askAfter = Date.now() + ms;
  }

  // --- batches ---

  /** Closes the batch that is being filled. */
  function fill(current: Session): void {
    const { filling, sequence, grant, seal } = current;
    const count = filling.eventCount();
    if (count === 0) return;
    const payload = filling.pack();
    const as = { session: grant.session, sequence, grantedAt: grant.grantedAt };
    const content = seal === null ? Promise.resolve(payload) : seal(as, payload);
    // Where it fails, that is seen where it is awaited.
    content.catch(() => undefined);
    current.waiting.push({ sequence, count, size: payload.length, content });
    current.sequence++;
    current.filling = createBatch(subject, device);
    capture?.forget();
  }

  function flush(): void {
    clearTimeout(flushing);
    flushing = undefined;
    if (session !== null) fill(session);
    if (resting === undefined) void send();
  }

  function send(): Promise<void> {
    sending ??= sendAll().finally(() => {
      sending = null;
      // Of a session that has begun meanwhile.
      if (session !== null && session.waiting.length > 0 && resting === undefined) void send();
    });
    return sending;
  }

  /** One batch after the other, until none waits or one must wait longer. */
  async function sendAll(): Promise<void> {
    const current = session;
    if (current === null) return;
    for (let [batch] = current.waiting; batch !== undefined; [batch] = current.waiting) {
      const answer = await put(current, batch).catch(() => null);
      if (session !== current) return;
      if (answer === null) return fail('seal_failed');
      settle(current, batch, answer);
      if (session !== current || resting !== undefined) return;
    }
    if (!current.closing || capture === null) return;
    close();
    void open();
  }

  const put = async ({ path, seal }: Session, { sequence, content }: Waiting): Promise<Answer> =>
    ask(
      'PUT',
      `${path}/batches/${sequence}`,
      await content,
      `application/vnd.redactory.${seal === null ? 'capture' : 'sealed'}`,
    );

  /** What an answer means for the batch, and for the session. */
  function settle(current: Session, { count }: Waiting, answer: Answer): void {
    const { status, said, retryMs } = answer;
    const reason = said.error ?? '';
    if (status === 200) {
      current.retries = 0;
      current.thin = said.thin ?? [];
      cost.acknowledged += count;
      current.waiting.shift();
    } else if (BAD_BATCH.test(reason)) {
      cost.unsent += count;
      current.waiting.shift();
    } else if (isPassing(status) && reason !== 'over_budget') {
      const ms = retryMs + backOff(current.retries++);
      // Nothing waits longer than its session lasts.
      if (Date.now() + ms >= current.overAt) return refused(answer);
      resting = wakeUp(() => {
        resting = undefined;
        flush();
      }, ms);
    } else if (NEXT_SESSION.test(reason) || status === 404) {
      close();
      become('connecting', reason);
      askIfDue();
    } else refused(answer);
  }

  // --- the page's side ---

  return {
    start() {
      if (capture !== null) return;
      close();
      capture = startCapturing();
      if (Date.now() < pausedUntil) become('refused', 'paused', pausedUntil);
      else void open();
    },

    async stop() {
      release();
      const last = session;
      become('stopped');
      if (last === null) return close();
      stopTimers();
      end(last);
      await send();
      if (session === last) close();
      await ask('DELETE', last.path);
    },

    async pause(minutes) {
      const whole = Math.min(30, Math.max(1, Math.ceil(minutes) || 30));
      pausedUntil = Date.now() + whole * 60_000;
      close();
      if (capture !== null) become('refused', 'paused', pausedUntil);
      return (await ask('POST', '/v1/me/pause', { minutes: whole })).status === 200;
    },

    async resume() {
      pausedUntil = askAfter = 0;
      const { status } = await ask('POST', '/v1/me/resume');
      if (session === null) askIfDue();
      return status === 200;
    },

    state: () => state,
    cost: () => ({ ...cost }),
  };
}

/** Whether the same may be answered otherwise later. */
const isPassing = (status: number): boolean => status === 0 || status === 429 || status >= 500;

/**
 * Records what a person does in a web page and hands it to the gateway (docs/recorders.md). It has no dependencies, needs no
 * `eval`, keeps everything in memory, and writes nothing to the console.
 */
import { createBatch, KINDS, SESSION_END, type Batch, type Captured, type Page, type Seen } from './batch.ts';
import type { Bytes } from './bytes.ts';
import { startCapture, type Capture, type CaptureOptions } from './capture.ts';
import type { Cost } from './cost.ts';
import { createAsk, type Answer } from './gateway.ts';
import type { Recorder, RecorderOptions, RecorderState } from './options.ts';
import { createRules, type Recordable, type Rules } from './rules.ts';
import { createSeal, type Seal } from './seal.ts';

export type { Cost } from './cost.ts';
export type { Recorder, RecorderOptions, RecorderState } from './options.ts';

/** A batch is closed from so many bytes on: with one event more it still fits into what a page may leave behind, 64 KiB. */
const BATCH_BYTES = 40_960;
const BATCH_EVENTS = 500;
/** Least time between two requests for a session, ms; the same after a refusal that is no pause. */
const ASK_MS = 5_000;
const REFUSED_MS = 60_000;
/** Back-off: from the first, doubled with each try up to the second, ms. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** So long before a session ends the next one is asked for, ms. */
const RENEW_MS = 20_000;

/** Reasons to begin another session. */
const NEXT_SESSION = /^(?:not_found|expired|ended|unknown_sealing_key)$/u;

type Timer = ReturnType<typeof setTimeout>;

/** Whether events are told to a tap, chosen when this file is bundled. */
declare const WITH_TAP: boolean;

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
  readonly payload: Bytes;
  /** Made once: it is sent again with the same bytes. */
  content?: Promise<Bytes> | undefined;
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
}

/**
 * Told of each event as it goes into a batch, before anything is sent: for a page that shows people what is recorded of them.
 * It must not throw. For who bundles these sources with `WITH_TAP`: the built recorder knows of no tap.
 */
export type Tap = (
  event: Captured,
  page: Page,
  seen: Seen | undefined,
  session: { readonly id: string; readonly batch: number },
) => void;

/**
 * A recorder of one page; it does nothing before `start`.
 *
 * When its memory is full, what is new is dropped, as what is old may be on its way already. The number of a batch is then
 * left out, so that the processors see that something is missing and keep no free text of the session any more.
 */
export function createRecorder(options: RecorderOptions, tap?: Tap): Recorder {
  const { subject, device, flushMs = 5_000, maxWaiting = 16, window = globalThis.window } = options;
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

  let capture: Capture | undefined;
  /** Whether it was started, and neither stopped nor given up. */
  let isOn = false;
  let session: Session | null | undefined;
  /** Counts what makes answers that are still to come worthless: stop, pause, another session. */
  let turn = 0;
  /** No session is asked for before, ms. */
  let askAfter = 0;
  /** Requests in a row that came to nothing. */
  let tries = 0;
  /** Until when the person has paused here, whatever the gateway says, ms. */
  let pausedUntil = 0;
  let sending: Promise<void> | null | undefined;
  /** The timer of the batch that is being filled, and the one before another try. */
  let flushing: Timer | undefined;
  let resting: Timer | undefined;

  function become(status: RecorderState['status'], reason: string | null = null, until: number | null = null): void {
    // Of what was stopped nothing else is told.
    if (!isOn && status !== 'stopped') return;
    try {
      options.onState?.({ status, reason, until });
    } catch {
      // The page's own fault, which must not become the recorder's.
    }
  }

  const wakeUp = (work: () => void, ms: number): Timer =>
    setTimeout(() => {
      cost.wakeUps++;
      guard(work, true);
    }, ms);

  /** Between half and all of a time that doubles with each try, ms. */
  const backOff = (): number => (0.5 + Math.random() / 2) * Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** tries++);

  // --- events ---

  function guard(work: () => void, always?: boolean): void {
    const started = performance.now();
    try {
      if (always || isTaking()) work();
    } catch {
      // The console may be read by others; and what is missing must be seen to be missing.
      lose();
    }
    cost.handlerMs += performance.now() - started;
  }

  /** Asked before every event. It sees that a session is over by its time, and that another may be asked for. */
  function isTaking(): boolean {
    if (!session) askIfDue();
    else if (now() >= session.overAt) {
      close();
      askIfDue();
    } else if (!session.closing && now() >= session.overAt - RENEW_MS) end(session);
    return !!session && !session.closing;
  }

  function lose(): void {
    cost.dropped++;
    if (!session) return;
    fill(session);
    session.sequence++;
  }

  const capturing: CaptureOptions = {
    ...options,
    window,
    guard,
    onHidden: flush,
    wants(kind, page) {
      const name = KINDS[kind] ?? '';
      return (
        isTaking() &&
        !!session?.rules(page) &&
        session.grant.record.kinds.includes(name) &&
        !session.thin.includes(name)
      );
    },
    take(event, page, seen) {
      if (!session) return;
      const { waiting, filling } = session;
      if (waiting.length >= maxWaiting) return lose();
      filling.add(event, page, seen);
      if (WITH_TAP) tap?.(event, page, seen, { id: session.grant.session, batch: session.sequence });
      cost.captured++;
      const { maxBodyBytes, maxEventsPerBatch } = session.grant.limits;
      const hasRoom =
        filling.eventCount() < Math.min(BATCH_EVENTS, maxEventsPerBatch) &&
        filling.sizeNow() < Math.min(BATCH_BYTES, maxBodyBytes / 2);
      if (hasRoom) flushing ??= wakeUp(flush, flushMs);
      else flush();
    },
  };

  // --- sessions ---

  function askIfDue(): void {
    if (isOn && now() >= askAfter) void open();
  }

  async function open(): Promise<void> {
    const mine = ++turn;
    const askedAt = now();
    // Not again before there is an answer.
    askAfter = Infinity;
    become('connecting');
    const answer = await ask('sessions', { device });
    if (answer.outcome !== 201) return mine === turn ? refused(answer) : undefined;
    // What is missing is found out by using it.
    const granted = await begin(answer.said as Grant, askedAt).catch(() => null);
    // What came too late ends with the next session, or by its time.
    if (mine !== turn) return;
    if (!granted) return fail('bad_grant');
    if (!granted.seal && !options.allowUnsealed) return fail('sealing_unsupported');
    session = granted;
    askAfter = askedAt + ASK_MS;
    tries = 0;
    become('recording');
    capture?.arrive();
  }

  /** @throws where a part of the grant is missing. */
  async function begin(grant: Grant, askedAt: number): Promise<Session> {
    const { sealing, grantedAt } = grant;
    // As long as the grant, from when it was asked for: the two clocks may differ.
    const overAt = askedAt + grant.endsAt - grantedAt;
    if (!(overAt > askedAt)) throw new RangeError();
    return {
      grant,
      overAt,
      sequence: 0,
      closing: false,
      thin: [],
      waiting: [],
      path: `sessions/${grant.session}`,
      rules: createRules(grant.record),
      seal: await createSeal(sealing).catch(() => null),
      filling: createBatch(subject, device),
    };
  }

  /** The next event is not taken: from here on there is no session, and nothing waits. */
  function close(): void {
    turn++;
    stopTimers();
    if (!session) return;
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
      old.filling.add({ kind: SESSION_END, at: now() });
      cost.captured++;
    }
    flush();
  }

  function fail(reason: string): void {
    close();
    become('failed', reason);
    isOn = false;
  }

  /** A session was refused, or ended by a decision. */
  function refused({ outcome: status, said, retryMs }: Answer): void {
    const reason = said.error ?? 'no_answer';
    if (reason === 'over_budget' || ([403, 410].includes(status) && !reason.endsWith('mismatch'))) {
      wait(Math.max(retryMs, reason === 'paused' ? ASK_MS : REFUSED_MS));
      become('refused', reason, said.until);
    } else if (isPassing(status)) {
      wait(Math.max(retryMs, ASK_MS, backOff()));
      become('connecting', reason);
    } else fail(reason);
  }

  function wait(ms: number): void {
    close();
    askAfter = now() + ms;
  }

  // --- batches ---

  /** Closes the batch that is being filled. */
  function fill(current: Session): void {
    const { filling, sequence } = current;
    const count = filling.eventCount();
    if (count === 0) return;
    current.waiting.push({ sequence, count, payload: filling.pack() });
    current.sequence++;
    current.filling = createBatch(subject, device);
  }

  function flush(): void {
    clearTimeout(flushing);
    flushing = undefined;
    if (session) fill(session);
    if (!resting) void send();
  }

  function send(): Promise<void> {
    sending ??= sendAll().finally(() => {
      sending = null;
      // Of a session that has begun meanwhile.
      if (session && session.waiting.length > 0 && !resting) void send();
    });
    return sending;
  }

  /** One batch after the other, until none waits or one must wait longer. */
  async function sendAll(): Promise<void> {
    const current = session;
    if (!current) return;
    for (let [batch] = current.waiting; batch; [batch] = current.waiting) {
      const answer = await put(current, batch).catch(() => null);
      if (session !== current) return;
      if (!answer) return fail('seal_failed');
      settle(current, batch, answer);
      if (session !== current || resting) return;
    }
    if (!current.closing || !isOn) return;
    close();
    void open();
  }

  async function put({ path, seal, grant }: Session, batch: Waiting): Promise<Answer> {
    const { sequence, payload } = batch;
    batch.content ??= seal?.({ ...grant, sequence }, payload);
    const type = `application/vnd.redactory.${seal ? 'sealed' : 'capture'}`;
    return ask(`${path}/batches/${sequence}`, (await batch.content) ?? payload, 'PUT', type);
  }

  /** What an answer means for the batch, and for the session. */
  function settle(current: Session, { count, sequence }: Waiting, answer: Answer): void {
    const { outcome: status, said, retryMs } = answer;
    const reason = said.error ?? '';
    // In quotes: the protocol's name, which must not be shortened.
    if (status === 200 && said['sequence'] === sequence) {
      tries = 0;
      current.thin = said.thin ?? [];
      cost.acknowledged += count;
      current.waiting.shift();
    } else if (isPassing(status) && reason !== 'over_budget') {
      const ms = retryMs + backOff();
      // Nothing waits longer than its session lasts.
      if (now() + ms >= current.overAt) return refused(answer);
      resting = wakeUp(() => {
        resting = undefined;
        flush();
      }, ms);
    } else if (NEXT_SESSION.test(reason)) {
      close();
      become('connecting', reason);
      askIfDue();
    } else if ([409, 413, 422].includes(status)) {
      // Only this batch is lost.
      cost.unsent += count;
      current.waiting.shift();
    } else refused(answer);
  }

  // --- the page's side ---

  /** Tells the gateway of what is left of the pause, again and again until it knows of it, or the pause is over or ended. */
  async function tellPause(): Promise<boolean> {
    const minutes = Math.ceil((pausedUntil - now()) / 60_000);
    if (minutes < 1) return false;
    const { outcome: status, said, retryMs } = await ask('me/pause', { minutes });
    const standing = status === 200 && said.recording;
    if (!standing) wakeUp(() => void tellPause(), retryMs + backOff());
    return standing === 'paused';
  }

  return {
    start() {
      if (isOn) return;
      close();
      isOn = true;
      capture ??= startCapture(capturing);
      if (now() < pausedUntil) become('refused', 'paused', pausedUntil);
      else void open();
    },

    async stop() {
      isOn = false;
      const last = session;
      become('stopped');
      if (!last) return close();
      stopTimers();
      end(last);
      await send();
      if (session === last) close();
      await ask(last.path, undefined, 'DELETE');
    },

    pause(minutes) {
      askAfter = pausedUntil = now() + Math.min(30, Math.max(1, Math.ceil(minutes) || 30)) * 60_000;
      close();
      become('refused', 'paused', pausedUntil);
      return tellPause();
    },

    async resume() {
      pausedUntil = 0;
      // A session that is asked for before the gateway knows would be refused.
      askAfter = Infinity;
      const { outcome: status, said } = await ask('me/resume');
      // There may be another pause by now.
      askAfter = pausedUntil;
      if (!session) askIfDue();
      return status === 200 && !!said.recording;
    },

    cost: () => ({ ...cost }),
  };
}

/** Whether the same may be answered otherwise later; also of a good answer that is not the one that was asked for. */
const isPassing = (status: number): boolean => status < 400 || status === 408 || status === 429 || status >= 500;

const now = (): number => Date.now();

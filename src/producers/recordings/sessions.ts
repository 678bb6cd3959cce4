/**
 * Makes sessions and capture batches of what an importer has read.
 *
 * A session has at most 30 minutes of device time: longer ones are cut. Each has a random id and ends with an end marker.
 * The stamps of the trusted side are the time of the import, whatever the recording says of its own time.
 */

import { createHash } from 'node:crypto';
import type { CapturePayload, Context, UiElement } from '../../events/raw.ts';
import { type Batcher, contextBytes, createBatcher, elementBytes, type EventBody, eventTextBytes } from '../batcher.ts';
import type { Captured } from '../captured.ts';
import type { Fail } from './import-error.ts';
import type { ImportLimits } from './limits.ts';

/** One event of a recording, as an importer has read it. */
export interface Recorded {
  /** Where it came from, for errors; from 1. */
  readonly line: number;
  readonly subject: string;
  /** What the recording calls the session; it never leaves the importer. */
  readonly label: string;
  readonly event: EventBody;
  /** null: not known from here on; undefined: as before. So for the element. */
  readonly context?: Context | null | undefined;
  readonly element?: UiElement | null | undefined;
}

export interface SessionCounts {
  /** Raw events, end markers with them. */
  readonly events: number;
  readonly sessions: number;
  readonly subjectKeys: readonly string[];
}

export interface Sessions {
  /** Takes the file's next event and pushes the batches that are complete to `out`. */
  add(recorded: Recorded, out: Captured[]): void;
  /** Ends all open sessions. */
  finish(out: Captured[]): void;
  counts(): SessionCounts;
}

export interface SessionsOptions {
  readonly subjectKey: (subject: string) => string;
  /** The trusted clock, ms since the epoch. */
  readonly now: () => number;
  readonly randomId: () => string;
  readonly limits: ImportLimits;
  readonly fail: Fail;
  /** Whether a label that has had its end marker may begin another session (a recorder that was paused). */
  readonly labelsRestart: boolean;
}

interface OpenSession {
  readonly key: string;
  readonly subject: string;
  readonly label: string;
  readonly batcher: Batcher;
  context: Context | null;
  element: UiElement | null;
  /** Of the part since the last cut. */
  id: string;
  sequence: number;
  grantedAt: number;
  started: boolean;
  overdue: boolean;
  minAt: number;
  maxAt: number;
  lastAt: number;
}

export function createSessions(o: SessionsOptions): Sessions {
  const { limits, fail } = o;
  const open = new Map<string, OpenSession>();
  const closed = new Set<number>();
  const subjectKeys = new Set<string>();
  const importId = o.randomId();
  let devices = 0;
  let events = 0;
  let sessions = 0;
  let pendingEvents = 0;
  let pendingTextBytes = 0;
  let clock = Number.NEGATIVE_INFINITY;
  let current: OpenSession | undefined;

  const now = (): number => {
    clock = Math.max(clock, o.now());
    return clock;
  };

  const emit = (s: OpenSession, payload: CapturePayload, out: Captured[]): void => {
    const receivedAt = now();
    if (s.sequence === 0) s.grantedAt = receivedAt;
    // A session that is open for longer than a session may last would be dropped as late: its next event begins another.
    s.overdue = receivedAt - s.grantedAt >= limits.maxSessionMs;
    const envelope = { session: s.id, sequence: s.sequence, grantedAt: s.grantedAt, receivedAt };
    s.sequence += 1;
    out.push({ key: s.key, envelope, payload });
  };

  const put = (s: OpenSession, event: EventBody, out: Captured[]): void => {
    pendingEvents -= s.batcher.pendingEvents();
    pendingTextBytes -= s.batcher.pendingTextBytes();
    const full = s.batcher.add(event, s.context, s.element);
    if (full !== undefined) emit(s, full, out);
    pendingEvents += s.batcher.pendingEvents();
    pendingTextBytes += s.batcher.pendingTextBytes();
    events += 1;
  };

  const flush = (s: OpenSession, out: Captured[]): void => {
    pendingEvents -= s.batcher.pendingEvents();
    pendingTextBytes -= s.batcher.pendingTextBytes();
    const rest = s.batcher.flush();
    if (rest !== undefined) emit(s, rest, out);
  };

  const beginPart = (s: OpenSession, at: number): void => {
    s.id = o.randomId();
    s.sequence = 0;
    s.started = true;
    s.overdue = false;
    s.minAt = at;
    s.maxAt = at;
    sessions += 1;
  };

  const endPart = (s: OpenSession, out: Captured[]): void => {
    put(s, { kind: 'session_end', at: s.lastAt }, out);
    flush(s, out);
    s.started = false;
  };

  const close = (s: OpenSession): void => {
    open.delete(idOf(s.subject, s.label));
    if (current === s) current = undefined;
    if (!o.labelsRestart) closed.add(fingerprint(idOf(s.subject, s.label)));
  };

  const openSession = (r: Recorded, id: string, out: Captured[]): OpenSession => {
    checkNames(r);
    if (closed.has(fingerprint(id))) fail(r.line, reopened(limits));
    if (closed.size >= limits.maxSessions) {
      fail(r.line, `the file has more than ${limits.maxSessions} sessions; split it`);
    }
    if (open.size >= limits.maxOpenSessions) {
      const idle = open.values().next().value;
      if (idle !== undefined) {
        endPart(idle, out);
        close(idle);
      }
    }
    const key = o.subjectKey(r.subject);
    subjectKeys.add(key);
    if (subjectKeys.size > limits.maxSubjects) {
      fail(r.line, `the file has more than ${limits.maxSubjects} subjects; split it`);
    }
    // A device for each label: the next session of a device ends the one before, and labels may interleave.
    devices += 1;
    const device = `import:${importId}:${devices}`;
    const s: OpenSession = {
      key,
      subject: r.subject,
      label: r.label,
      batcher: createBatcher({ subject: r.subject, device }),
      context: null,
      element: null,
      id: '',
      sequence: 0,
      grantedAt: 0,
      started: false,
      overdue: false,
      minAt: 0,
      maxAt: 0,
      lastAt: 0,
    };
    open.set(id, s);
    return s;
  };

  /** The event's session, moved behind all others: the first of `open` is the one that was used longest ago. */
  const sessionOf = (r: Recorded, out: Captured[]): OpenSession => {
    if (current !== undefined && current.label === r.label && current.subject === r.subject) return current;
    const id = idOf(r.subject, r.label);
    const known = open.get(id);
    if (known !== undefined) {
      open.delete(id);
      open.set(id, known);
    }
    current = known ?? openSession(r, id, out);
    return current;
  };

  const checkNames = (r: Recorded): void => {
    const most = limits.maxNameBytes;
    if (r.subject === '') fail(r.line, 'the subject is empty; say who it is');
    if (Buffer.byteLength(r.subject) > most) fail(r.line, `the subject is longer than ${most} bytes; shorten it`);
    if (Buffer.byteLength(r.label) > most) fail(r.line, `the session's name is longer than ${most} bytes; shorten it`);
  };

  const checkTexts = (r: Recorded): void => {
    const most = limits.maxTextBytes;
    if (eventTextBytes(r.event) > most) fail(r.line, `the event's text is longer than ${most} bytes; shorten it`);
    if (r.context && contextBytes(r.context) > most) {
      fail(r.line, `the context's texts are longer than ${most} bytes together; shorten them`);
    }
    if (r.element && elementBytes(r.element) > most) {
      fail(r.line, `the element's texts are longer than ${most} bytes together; shorten them`);
    }
  };

  return {
    add(r, out) {
      checkTexts(r);
      const s = sessionOf(r, out);
      const { at } = r.event;
      if (s.started) {
        const tooLong = Math.max(s.maxAt, at) - Math.min(s.minAt, at) > limits.maxSessionMs;
        if (r.event.kind === 'session_end') {
          // A marker alone makes no session: one that comes too late ends the session where its last event was.
          finishSession(s, r, tooLong ? s.lastAt : at, out);
          return;
        }
        if (tooLong || s.overdue) endPart(s, out);
      }
      if (!s.started) beginPart(s, at);
      s.minAt = Math.min(s.minAt, at);
      s.maxAt = Math.max(s.maxAt, at);
      s.lastAt = at;
      if (r.event.kind === 'session_end') {
        finishSession(s, r, at, out);
        return;
      }
      place(s, r);
      put(s, r.event, out);
      // Cutting a batch early costs little; holding a thousand sessions' batches in memory could cost a lot.
      if (pendingEvents > limits.maxPendingEvents || pendingTextBytes > limits.maxPendingTextBytes) {
        for (const waiting of open.values()) flush(waiting, out);
      }
    },
    finish(out) {
      for (const s of open.values()) if (s.started) endPart(s, out);
      open.clear();
      current = undefined;
    },
    counts: () => ({ events, sessions, subjectKeys: [...subjectKeys] }),
  };

  function finishSession(s: OpenSession, r: Recorded, at: number, out: Captured[]): void {
    s.lastAt = at;
    place(s, r);
    endPart(s, out);
    close(s);
  }
}

function place(s: OpenSession, r: Recorded): void {
  if (r.context !== undefined) s.context = r.context;
  if (r.element !== undefined) s.element = r.element;
}

function idOf(subject: string, label: string): string {
  return `${subject.length}:${subject}${label}`;
}

/** 53 bits of SHA-256: a million labels fit in little memory, and two of them meet once in 20,000 such files. */
function fingerprint(id: string): number {
  const digest = createHash('sha256').update(id).digest();
  return digest.readUIntBE(0, 6) * 32 + (digest.readUInt8(6) & 31);
}

function reopened(limits: ImportLimits): string {
  return (
    `this session has ended: either its session_end came on an earlier line, or lines of more than ` +
    `${limits.maxOpenSessions} sessions are mixed; put the lines of each session together, session_end last`
  );
}

import { drop, keep, type DropReason, type Outcome } from '../events/outcome.ts';
import { sessionName, type OpenedBatch } from './stages.ts';

/** A session that the log has shown and whose time has not passed. `L` is what works on its batches. */
export interface Session<L> {
  readonly id: string;
  readonly device: string;
  readonly grantedAt: number;
  readonly firstOffset: number;
  lastOffset: number;
  lastSequence: number;
  /** Sequences below `lastSequence` that have not been seen, as [from, to] pairs. */
  missing: (readonly [number, number])[];
  /** No batch of it has been missed or dropped: all that was typed in it is known. */
  complete: boolean;
  /** Its next batch does not follow the last one that was worked on. */
  interrupted: boolean;
  ended: boolean;
  line: L | null;
}

export interface SessionTable<L> {
  /** Lets the batch in, in its session's order: or says why not. */
  admit(batch: OpenedBatch, offset: number): Outcome<Session<L>>;
  /** The session's end marker has been processed. */
  end(session: Session<L>): void;
  /** The lowest offset that state still depends on, and the partition's time; `next` when nothing does. */
  warmFrom(next: number): { readonly offset: number; readonly time: number };
  readonly size: number;
  sessions(): Iterable<Session<L>>;
}

/** More holes than this are nobody's bad network; further late batches count as duplicates. */
const MAX_HOLES = 64;
const MINUTE_MS = 60_000;

/**
 * The sessions of one raw partition: a pure function of the partition's records in order (docs/decisions/0003).
 *
 * A session takes its batches in the order of `sequence`, each once. It ends with its end marker, with the next session of
 * its device, or when the partition's time (the latest `receivedAt` seen) has passed its grant by more than a session may
 * last. Ended sessions are remembered until then, so that a batch delivered again later is still known.
 *
 * `onGone` is told of every session whose work must be given up: it was cut short, or its time has passed.
 */
export function createSessionTable<L>(options: {
  readonly maxMinutes: number;
  readonly latenessMinutes: number;
  /** The partition's time to start from, as {@link SessionTable.warmFrom} gave it. */
  readonly time: number;
  readonly createLine: (session: Session<L>) => L;
  readonly onGone: (session: Session<L>) => void;
}): SessionTable<L> {
  const horizonMs = (options.maxMinutes + options.latenessMinutes) * MINUTE_MS;
  const sessions = new Map<string, Session<L>>();
  const byDevice = new Map<string, Session<L>>();
  let time = options.time;
  /** No remembered session was granted earlier (ms). */
  let oldestGrant = Infinity;

  const isPast = (grantedAt: number) => time - grantedAt > horizonMs;

  function advanceTime(to: number): void {
    if (to <= time) return;
    time = to;
    // Not now and then: which record gives up a session's work must be the same for whoever reads the log.
    if (!isPast(oldestGrant)) return;
    oldestGrant = Infinity;
    for (const [id, session] of sessions) {
      if (!isPast(session.grantedAt)) {
        oldestGrant = Math.min(oldestGrant, session.grantedAt);
        continue;
      }
      cut(session);
      sessions.delete(id);
      if (byDevice.get(session.device) === session) byDevice.delete(session.device);
    }
  }
  /** Ends a session that did not end by itself. */
  function cut(session: Session<L>): void {
    if (!session.ended) options.onGone(session);
    session.ended = true;
    session.line = null;
  }
  function open(batch: OpenedBatch, id: string, offset: number): Session<L> {
    const device = `${batch.key}/${batch.device}`;
    const session: Session<L> = {
      id,
      device,
      grantedAt: batch.grantedAt,
      firstOffset: offset,
      lastOffset: offset,
      lastSequence: -1,
      missing: [],
      complete: true,
      interrupted: false,
      ended: false,
      line: null,
    };
    const previous = byDevice.get(device);
    // A session granted before the device's current one is a straggler; it must not end its successor.
    if (previous === undefined || previous.grantedAt <= session.grantedAt) {
      if (previous !== undefined) cut(previous);
      byDevice.set(device, session);
    } else {
      session.ended = true;
    }
    if (!session.ended) session.line = options.createLine(session);
    sessions.set(id, session);
    oldestGrant = Math.min(oldestGrant, session.grantedAt);
    return session;
  }

  return {
    admit(batch, offset) {
      advanceTime(batch.receivedAt);
      if (isPast(batch.grantedAt)) return drop('late');
      // A recorder that uses a session's name again has opened another session.
      const id = sessionName(batch);
      const session = sessions.get(id) ?? open(batch, id, offset);
      if (!session.ended) session.lastOffset = offset;
      const { sequence } = batch;
      if (sequence <= session.lastSequence) return drop(refuseOld(session, sequence));
      if (session.ended) return drop('after_end');
      if (sequence > session.lastSequence + 1) {
        session.complete = false;
        session.interrupted = true;
        if (session.missing.length < MAX_HOLES) session.missing.push([session.lastSequence + 1, sequence - 1]);
      }
      session.lastSequence = sequence;
      return keep(session);
    },
    end(session) {
      session.ended = true;
      session.line = null;
    },
    warmFrom(next) {
      let offset = next;
      for (const session of sessions.values()) {
        // Of an ended session, a record of its own is enough to know it again, if what ended it comes after.
        offset = Math.min(offset, session.ended ? session.lastOffset : session.firstOffset);
      }
      return { offset, time };
    },
    get size() {
      return sessions.size;
    },
    sessions: () => sessions.values(),
  };
}

/** A batch from before the session's last one: seen already, or a hole filled too late to be of use. */
function refuseOld<L>(session: Session<L>, sequence: number): DropReason {
  const hole = session.missing.findIndex(([from, to]) => sequence >= from && sequence <= to);
  const found = session.missing[hole];
  if (found === undefined) return 'duplicate';
  const [from, to] = found;
  const rest: (readonly [number, number])[] = [];
  if (from < sequence) rest.push([from, sequence - 1]);
  if (sequence < to) rest.push([sequence + 1, to]);
  session.missing.splice(hole, 1, ...rest);
  return 'out_of_order';
}

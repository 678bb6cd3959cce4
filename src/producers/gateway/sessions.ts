import { MAX_GRANT_MS, MAX_OPEN_SESSIONS, type Acknowledged, type Reason } from './protocol.ts';

export interface Session {
  readonly id: string;
  readonly subjectKey: string;
  readonly device: string;
  readonly grantedAt: number;
  readonly endsAt: number;
  /** Why it is over, or null. */
  ended: Reason | null;
  /** Highest number acknowledged, or -1. */
  last: number;
  /** Digest of the body and answer of each acknowledged batch. */
  readonly acknowledged: Map<number, { readonly digest: string; readonly receivedAt: Acknowledged['receivedAt'] }>;
  /** Done when the batch that is worked on is: a session's batches take turns. */
  turn: Promise<unknown>;
}

/** Sessions that this process granted; they are gone with it. */
export interface Sessions {
  /** Ends the device's session, and the person's oldest when there are too many. */
  open(of: { readonly subjectKey: string; readonly device: string; readonly now: number }): Session;
  /** Only to whom it belongs. */
  find(id: string, subjectKey: string): Session | undefined;
  /** Open sessions of a person. */
  openOf(subjectKey: string, now: number): readonly Session[];
  endAll(subjectKey: string, reason: Reason): void;
}

export function createSessions(newId: () => string): Sessions {
  const sessions = new Map<string, Session>();
  const people = new Map<string, Set<Session>>();

  /** What ended is remembered for another half hour, so that its recorder learns why. */
  function prune(now: number): void {
    // In the order of their grants, which is that of their ends.
    for (const [id, session] of sessions) {
      if (session.endsAt + MAX_GRANT_MS > now) return;
      sessions.delete(id);
      const own = people.get(session.subjectKey);
      own?.delete(session);
      if (own?.size === 0) people.delete(session.subjectKey);
    }
  }

  const openOf: Sessions['openOf'] = (subjectKey, now) =>
    [...(people.get(subjectKey) ?? [])].filter(({ ended, endsAt }) => ended === null && now < endsAt);

  return {
    open({ subjectKey, device, now }) {
      prune(now);
      const open = openOf(subjectKey, now);
      for (const session of open) if (session.device === device) session.ended = 'ended';
      const others = open.filter(({ ended }) => ended === null);
      for (const session of others.slice(0, Math.max(0, others.length + 1 - MAX_OPEN_SESSIONS)))
        session.ended = 'ended';
      const session: Session = {
        id: newId(),
        subjectKey,
        device,
        grantedAt: now,
        endsAt: now + MAX_GRANT_MS,
        ended: null,
        last: -1,
        acknowledged: new Map(),
        turn: Promise.resolve(),
      };
      sessions.set(session.id, session);
      const own = people.get(subjectKey) ?? new Set();
      people.set(subjectKey, own.add(session));
      return session;
    },
    find(id, subjectKey) {
      const session = sessions.get(id);
      return session?.subjectKey === subjectKey ? session : undefined;
    },
    openOf,
    endAll(subjectKey, reason) {
      for (const session of people.get(subjectKey) ?? []) session.ended ??= reason;
    },
  };
}

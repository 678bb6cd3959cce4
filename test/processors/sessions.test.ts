import { describe, expect, it } from 'vitest';
import { createSessionTable, type Session, type SessionTable } from '../../src/processors/sessions.ts';
import { opened, START } from '../helpers/recording.ts';

const MINUTE = 60_000;
interface Seen {
  readonly table: SessionTable<string>;
  readonly gone: string[];
  admit(batch: BatchStamps): string;
}
interface BatchStamps {
  readonly session?: string;
  readonly device?: string;
  readonly key?: string;
  readonly sequence?: number;
  readonly grantedAt?: number;
  readonly receivedAt?: number;
}

function create(time = 0): Seen {
  const gone: string[] = [];
  const table = createSessionTable<string>({
    maxMinutes: 30,
    latenessMinutes: 5,
    time,
    createLine: (session) => session.id,
    onGone: (session) => void gone.push(session.id.split('/')[1] ?? ''),
  });
  let offset = 100;
  return {
    table,
    gone,
    admit({ key = 'k', ...stamps }) {
      const outcome = table.admit({ ...opened([], { receivedAt: START, ...stamps }), key }, offset++);
      if (outcome.kind === 'keep') return outcome.batch.complete ? 'in' : 'in, incomplete';
      return outcome.reason;
    },
  };
}

const sessionsOf = (seen: Seen): Session<string>[] => [...seen.table.sessions()];
const endOf = (seen: Seen): void => {
  const [session] = sessionsOf(seen);
  if (session !== undefined) seen.table.end(session);
};

describe('batches of a session', () => {
  it('come in in order, each once', () => {
    const seen = create();
    expect([0, 1, 1, 0, 2].map((sequence) => seen.admit({ sequence }))).toEqual([
      'in',
      'in',
      'duplicate',
      'duplicate',
      'in',
    ]);
  });

  it('after a gap the session is incomplete, and interrupted', () => {
    const seen = create();
    expect([0, 2, 3].map((sequence) => seen.admit({ sequence }))).toEqual(['in', 'in, incomplete', 'in, incomplete']);
    expect(sessionsOf(seen)[0]?.interrupted).toBe(true);
  });

  it('a session whose beginning is missing is incomplete', () => {
    expect(create().admit({ sequence: 1 })).toBe('in, incomplete');
  });

  it('that fill a hole too late are out of order, and a second time duplicates', () => {
    const seen = create();
    seen.admit({ sequence: 0 });
    seen.admit({ sequence: 5 });
    expect([3, 3, 1, 4, 2, 2, 5].map((sequence) => seen.admit({ sequence }))).toEqual([
      'out_of_order',
      'duplicate',
      'out_of_order',
      'out_of_order',
      'out_of_order',
      'duplicate',
      'duplicate',
    ]);
  });

  it('are refused after its end, and known again', () => {
    const seen = create();
    seen.admit({ sequence: 0 });
    endOf(seen);
    expect([0, 1].map((sequence) => seen.admit({ sequence }))).toEqual(['duplicate', 'after_end']);
  });

  it('of the same name but another person or grant are others', () => {
    const seen = create();
    expect([seen.admit({}), seen.admit({ key: 'l' }), seen.admit({ grantedAt: START + 1 })]).toEqual([
      'in',
      'in',
      'in',
    ]);
  });
});

describe('the next session of a device', () => {
  it('ends the one before', () => {
    const seen = create();
    seen.admit({ session: 'a' });
    seen.admit({ session: 'b', grantedAt: START + 1 });
    expect(seen.gone).toEqual(['a']);
    expect(seen.admit({ session: 'a', sequence: 1 })).toBe('after_end');
    expect(seen.admit({ session: 'b', sequence: 1, grantedAt: START + 1 })).toBe('in');
  });
  it('leaves other devices and other people alone', () => {
    const seen = create();
    seen.admit({ session: 'a' });
    seen.admit({ session: 'b', device: 'phone' });
    seen.admit({ session: 'c', key: 'l' });
    expect(seen.gone).toEqual([]);
    expect(seen.admit({ session: 'a', sequence: 1 })).toBe('in');
  });
  it('is not ended by a straggler that was granted before it', () => {
    const seen = create();
    seen.admit({ session: 'b', grantedAt: START + 1 });
    expect(seen.admit({ session: 'a' })).toBe('after_end');
    expect(seen.admit({ session: 'b', sequence: 1, grantedAt: START + 1 })).toBe('in');
    expect(seen.gone).toEqual([]);
  });
  it('does not tell again of one that has ended', () => {
    const seen = create();
    seen.admit({ session: 'a' });
    endOf(seen);
    seen.admit({ session: 'b', grantedAt: START + 1 });
    expect(seen.gone).toEqual([]);
  });
});

describe('the partition’s time', () => {
  const limit = 35 * MINUTE;
  it('makes batches late once a session’s time has passed', () => {
    const seen = create();
    seen.admit({ session: 'other', device: 'other', receivedAt: START + limit, grantedAt: START + limit });
    expect(seen.admit({})).toBe('in');
    seen.admit({
      session: 'other',
      device: 'other',
      sequence: 1,
      receivedAt: START + limit + 1,
      grantedAt: START + limit,
    });
    expect(seen.admit({ sequence: 1 })).toBe('late');
  });
  it('never runs backwards', () => {
    const seen = create();
    seen.admit({ session: 'other', device: 'other', receivedAt: START + limit + 1, grantedAt: START + limit });
    expect(seen.admit({ receivedAt: START })).toBe('late');
  });
  it('ends sessions, and forgets them', () => {
    const seen = create();
    seen.admit({});
    seen.admit({ session: 'other', device: 'other', receivedAt: START + limit + MINUTE, grantedAt: START + limit });
    expect(seen.gone).toEqual(['session-1']);
    expect(seen.table.size).toBe(1);
  });
  it('starts where the commit left it', () => {
    expect(create(START + limit + 1).admit({})).toBe('late');
    expect(create(START + limit).admit({})).toBe('in');
  });
});

describe('where a successor must start', () => {
  it('is the next offset when nothing is known', () => {
    expect(create(7).table.warmFrom(500)).toEqual({ offset: 500, time: 7 });
  });
  it('is the first offset of an open session', () => {
    const seen = create();
    seen.admit({ sequence: 0 });
    seen.admit({ sequence: 1, receivedAt: START + 9 });
    expect(seen.table.warmFrom(102)).toEqual({ offset: 100, time: START + 9 });
  });
  it('is the last offset of an ended session, so that it is known again', () => {
    const seen = create();
    seen.admit({ sequence: 0 });
    seen.admit({ sequence: 1 });
    endOf(seen);
    seen.admit({ sequence: 1 });
    expect(seen.table.warmFrom(103).offset).toBe(101);
  });
  it('lets go of sessions whose time has passed', () => {
    const seen = create();
    seen.admit({});
    seen.admit({ session: 'b', device: 'other', grantedAt: START + 40 * MINUTE, receivedAt: START + 40 * MINUTE });
    expect(seen.table.warmFrom(102).offset).toBe(101);
  });
});

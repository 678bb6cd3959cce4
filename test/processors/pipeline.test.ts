import { describe, expect, it } from 'vitest';
import { createConsentTimeline } from '../../src/privacy/consent.ts';
import {
  balance,
  jsonCodec,
  pipelineOf,
  policyWith,
  record,
  records,
  run,
  subjectKey,
  toolsWith,
} from '../helpers/line.ts';
import { context, cut, element, script, START, type Placed } from '../helpers/recording.ts';

const work = (): Placed[] =>
  script()
    .focus()
    .type('dear bob')
    .chord('Control', 's')
    .on(element({ role: 'button', name: 'Save' }))
    .move(1, 1)
    .click()
    .end().events;

describe('what is typed in a private place', () => {
  it('is cut from the titles outside, like all that is typed', () => {
    const slack = context({ app: 'Slack', title: 'general' });
    const word = context({ title: 'New report - Word' });
    const stay = (text: string): Placed[] => script().in(slack).focus().type(text).in(word).focus().end().events;
    const windows = (text: string): (string | null)[] => run(records([stay(text)])).actions.map(({ window }) => window);
    expect(windows('old letter')).toEqual([null, 'New report - Word']);
    expect(windows('new report')).toEqual([null, '{typed} - Word']);
  });
});

describe('what is typed in an unknown place, where such events are dropped', () => {
  const policy = policyWith({ contexts: { unknown: 'drop' } });
  const report = context({ title: 'New report - Word' });
  const shown = (written: ReturnType<typeof script>): unknown[] =>
    run(records([written.in(report).focus().end().events]), toolsWith({ policy })).actions.map(
      ({ action, key, window }) => key ?? window ?? action,
    );

  it('is cut from later titles, like all that is typed', () => {
    expect(shown(script().in(null).type('old letter'))).toEqual(['New report - Word']);
    expect(shown(script().in(null).type('new report'))).toEqual(['{typed} - Word']);
    expect(shown(script().in(null).clipboard('paste', 'new report'))).toEqual(['{typed} - Word']);
  });
  it('continues what was typed before, and is continued', () => {
    expect(shown(script().type('new').in(null).type(' rep').in(context()).type('ort'))).toEqual([
      'Home - Word',
      '{typed} - Word',
    ]);
  });
  it('leaves no modifier held', () => {
    const written = script().down('Control').in(null).up('Control').in(context()).key('s');
    expect(shown(written)).toEqual(['Home - Word', 'New report - Word']);
  });
});

describe('edits', () => {
  it.each([
    ['a secure field', {}, true],
    ['any field, where lengths are not released', { length: 'none' } as const, false],
  ])('do not tell how often the value of %s changed', (_what, columns, secure) => {
    const told = (changes: number): unknown[] => {
      const written = script().on(element({ secure, role: 'textbox' }));
      for (let i = 1; i <= changes; i++) written.edit('*'.repeat(i));
      const { released } = run(records([written.end().events]), toolsWith({ policy: policyWith({ columns }) }));
      return released.flatMap(({ actions }) => actions);
    };
    expect(told(1)).toMatchObject([{ action: 'edit', count: null, length: null }]);
    for (const changes of [2, 5, 12, 300]) expect(told(changes)).toEqual(told(1));
  });
});

describe('a session', () => {
  it('comes out as its actions, and nothing more', () => {
    const { released, pipeline } = run(records([work()]));
    expect(released).toHaveLength(1);
    expect(released[0]).toMatchObject({ day: 20_161, policy: policyWith().digest, schema: 1 });
    expect(
      released[0]?.actions.map(({ step, action, key, length, target }) => [step, action, key ?? length ?? target]),
    ).toEqual([
      [0, 'focus', 'Search'],
      [1, 'type', '<16'],
      [2, 'shortcut', 'Ctrl+S'],
      [3, 'click', 'Save'],
    ]);
    expect([pipeline.pending(), pipeline.openSessions()]).toEqual([0, 0]);
  });

  it('goes on counting its steps over batches', () => {
    const { released, actions } = run(records(cut(work(), [3, 8, 20])));
    expect(actions.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    expect(new Set(released.map(({ session }) => session)).size).toBe(1);
  });

  it('stays in its place when a batch has grown larger than what may be written', () => {
    const places = ['Settings', 'Inbox'].map((end) =>
      context({
        title: `Page 1 of 2 - New report - Save as - ${end}`,
        url: `https://docs.example.com/${'settings/'.repeat(8)}`,
      }),
    );
    // Each action repeats where it was.
    const grown = script();
    for (let i = 0; i < 4_000; i++) for (const place of places) grown.in(place).focus();
    const { results, released } = run(records([work().slice(0, -1), grown.events, work()]));
    expect(results[1]).toMatchObject({ kind: 'quarantine', reason: 'limit_exceeded', released: null });
    const steps = released.flatMap(({ session, actions }) => actions.map(({ step }) => [session, step]));
    expect(steps).toEqual(steps.map((_, step) => [released[0]?.session, step]));
    expect(released).toHaveLength(2);
    const { read, accounted } = balance(results);
    expect(accounted).toBe(read);
  });

  it('gives back nothing for a batch that only adds to what is open', () => {
    const { results } = run(records([script().type('abc').events]));
    expect(results).toMatchObject([{ kind: 'keep', reason: null, released: null, counts: { read: 6, released: 0 } }]);
  });

  it('used again under another grant has another pseudonym', () => {
    const [first, second] = [record(work(), 0), record(work(), 1, { grantedAt: START + 1 })];
    const { released } = run([first, second]);
    expect(released).toHaveLength(2);
    expect(released[0]?.session).not.toBe(released[1]?.session);
  });
});

describe('counts add up', () => {
  it('for a whole session', () => {
    const { results } = run(records(cut(work(), [5, 9])));
    const { read, accounted } = balance(results);
    expect(read).toBe(work().length);
    expect(accounted).toBe(read);
  });
  it('for events after the end marker, which are dropped', () => {
    const { results } = run(records([[...work(), ...script().click().type('x').events]]));
    expect(results[0]?.counts.dropped).toMatchObject({ after_end: 4 });
    expect(balance(results).accounted).toBe(balance(results).read);
  });
  it('for what a session that is cut short held back', () => {
    const open = record(script().type('abc').press().events, 0);
    const next = record(work(), 1, { session: 'session-2', grantedAt: START + 1 });
    const { results, pipeline } = run([open, next]);
    expect(results[1]?.counts.dropped).toMatchObject({ unfinished: 4 });
    expect(balance(results).accounted).toBe(balance(results).read);
    expect(pipeline.pending()).toBe(0);
  });
  it('for what an end marker without consent leaves behind', () => {
    let asked = 0;
    const denied = { allowed: false, reason: 'withdrawn' } as const;
    const judge = () => (asked++ === 0 ? ({ allowed: true, pausedIntervals: [] } as const) : denied);
    const { results, pipeline } = run(records(cut(work(), [5])), toolsWith({ consent: { judge } }));
    expect(results[1]).toMatchObject({ kind: 'drop', reason: 'withdrawn', released: null });
    expect(balance(results).accounted).toBe(balance(results).read);
    expect(pipeline.openSessions()).toBe(0);
  });
});

describe('what goes wrong', () => {
  const broken = (message: string) => (): never => {
    throw new Error(message);
  };
  it('inside of a processor quarantines the batch, and the session goes on without texts', () => {
    let calls = 0;
    const keyring = {
      pseudonym: () => (calls++ === 1 ? broken('payload')() : 'a'.repeat(32)),
      state: () => 'active' as const,
    };
    const click = (name: string) =>
      script()
        .on(element({ role: 'button', name }))
        .click()
        .wheel(1).events;
    const batches = [click('Save'), click('Home'), [...click('Search'), ...script().end().events]];
    const { results, actions } = run(records(batches), toolsWith({ keyring, policy: policyWith() }));
    expect(results.map(({ kind, reason }) => [kind, reason])).toEqual([
      ['keep', null],
      ['quarantine', 'processor_error'],
      ['keep', null],
    ]);
    expect(actions.map(({ target }) => target)).toEqual(['Save', null, null]);
    expect(actions.map(({ step }) => step)).toEqual([0, 1, 2]);
    expect(balance(results).accounted).toBe(balance(results).read);
    expect(JSON.stringify(results)).not.toContain('payload');
  });
  it('inside of a processor leaves nobody in a place that they may not be in', () => {
    let calls = 0;
    const keyring = {
      pseudonym: () => (calls++ === 1 ? broken('payload')() : 'a'.repeat(32)),
      state: () => 'active' as const,
    };
    const stay = (): Placed[] =>
      script()
        .click()
        .wheel(1)
        .in(context({ private: true }))
        .focus().events;
    const unseen = script().in(null).type('abc').click().in(context()).wheel(1).in(null).click().end().events;
    const { results, actions } = run(records([stay(), stay(), unseen]), toolsWith({ keyring, policy: policyWith() }));
    expect(results.map(({ reason }) => reason)).toEqual([null, 'processor_error', null]);
    expect(results[2]?.counts.dropped).toMatchObject({ unknown_context: 8 });
    expect(actions.map(({ action }) => action)).toEqual(['click', 'scroll', 'scroll', 'click']);
  });
  it('while a batch is opened quarantines it', () => {
    const { results } = run(records([work()]), toolsWith({ subjectKey: broken('payload') }));
    expect(results).toEqual([
      {
        kind: 'quarantine',
        reason: 'processor_error',
        released: null,
        counts: { read: 0, released: 0, dropped: {}, quarantined: 0 },
        of: null,
      },
    ]);
  });
  it('with keys releases nothing', () => {
    const keyring = { pseudonym: () => undefined, state: () => 'missing' as const };
    expect(run(records([work()]), toolsWith({ keyring })).results).toMatchObject([
      { kind: 'quarantine', reason: 'key_missing', released: null },
    ]);
  });
  it('in a record is told by its reason', () => {
    const mismatch = { ...record(work(), 0), key: subjectKey('bob@example.com') };
    const empty = { ...record(work(), 1), value: null };
    expect(run([mismatch, empty]).results.map(({ reason }) => reason)).toEqual(['subject_mismatch', 'bad_envelope']);
  });
});

describe('what is not known of a session takes its texts', () => {
  const save = (name = 'Save') =>
    script()
      .on(element({ role: 'button', name }))
      .click()
      .wheel(1);
  const targets = (batches: readonly (readonly Placed[])[], sequences: readonly number[], tools = toolsWith()) =>
    run(
      batches.map((placed, i) => record(placed, i, { sequence: sequences[i] ?? 0 })),
      tools,
    ).actions.filter(({ action }) => action === 'click');

  it('a gap', () => {
    const batches = [save().events, save('Home').focus().end().events];
    expect(targets(batches, [0, 1]).map(({ target }) => target)).toEqual(['Save', 'Home']);
    expect(targets(batches, [0, 2])).toMatchObject([{ target: 'Save' }, { target: null, app: null, window: null }]);
  });
  it('a batch dropped by consent, which is a gap as well', () => {
    const verdicts = [true, false, true];
    const judge = () =>
      (verdicts.shift() ?? true)
        ? ({ allowed: true, pausedIntervals: [] } as const)
        : ({ allowed: false, reason: 'paused' } as const);
    const held = [script().down('Control').click().events, save().events, script().key('s').click().end().events];
    const { actions } = run(records(held), toolsWith({ consent: { judge } }));
    expect(actions.map(({ action }) => action)).toEqual(['click', 'type', 'click']);
    expect(actions.at(-1)).toMatchObject({ target: null, window: null });
  });
  it('an event of unknown kind', () => {
    const unknown = save().add({ kind: 'unknown', code: 200 }).events;
    expect(targets([save().events, unknown, save('Home').end().events], [0, 1, 2])).toMatchObject([
      { target: 'Save' },
      { target: null, window: null },
      { target: null, window: null },
    ]);
  });
  it('events of a pause', () => {
    const paused = { allowed: true, pausedIntervals: [[START, START + 150]] } as const;
    const actions = targets(
      [save().wait(500).click().end().events],
      [0],
      toolsWith({ consent: { judge: () => paused } }),
    );
    expect(actions).toMatchObject([{ target: null }]);
  });
});

describe('consent', () => {
  const key = subjectKey('ann@example.com');
  it('is asked with the real timeline: before, in and after a pause', () => {
    const consent = createConsentTimeline({ guardMs: 5_000 });
    const minutes = (n: number) => START + n * 60_000;
    consent.apply({ subjectKey: key, decisionId: '1', kind: 'enrol', decidedAt: START - 1, until: null });
    consent.apply({ subjectKey: key, decisionId: '2', kind: 'pause', decidedAt: minutes(5), until: minutes(10) });
    const at = (session: string, granted: number, received: number, offset: number) =>
      record(work(), offset, { session, device: session, grantedAt: minutes(granted), receivedAt: minutes(received) });
    const input = [at('a', 1, 2, 0), at('b', 1, 6, 1), at('c', 7, 8, 2), at('d', 1, 12, 3), at('e', 12, 13, 4)];
    expect(run(input, toolsWith({ consent })).results.map(({ kind, reason }) => reason ?? kind)).toEqual([
      'keep',
      'paused',
      'paused',
      'session_ended_by_consent',
      'keep',
    ]);
  });
  it('of nobody is no consent', () => {
    const consent = createConsentTimeline({ guardMs: 5_000 });
    expect(run(records([work()]), toolsWith({ consent })).results).toMatchObject([
      { kind: 'drop', reason: 'not_enrolled', released: null },
    ]);
  });
});

it('private places become one away, without a word of them', () => {
  const bank = context({ app: 'KeePassXC', title: 'Save - Home', private: true });
  const written = script().wheel(1).in(bank).focus().type('secret').click().in(context()).wheel(1).end();
  expect(run(records([written.events])).actions).toMatchObject([
    { action: 'scroll' },
    { action: 'away', app: null, window: null, target: null, target_role: null },
    { action: 'scroll' },
  ]);
});

describe('what was entered in a private place', () => {
  const bank = context({ app: 'KeePassXC' });
  const after = (entered: ReturnType<typeof script>): string[] => {
    const written = entered
      .in(context({ title: 'Settings - Home - Word' }))
      .focus()
      .end();
    const { actions, results } = run(records([written.events]));
    expect(balance(results).accounted).toBe(balance(results).read);
    expect(actions.map(({ action }) => action)).toEqual(['away', 'focus']);
    return actions.map(({ window }) => window ?? '');
  };
  it.each([
    ['typed', script().in(bank).type('settingx').key('Backspace').type('s')],
    ['composed', script().in(bank).compose('settings')],
    ['pasted', script().in(bank).clipboard('paste', 'settings')],
    ['edited', script().in(bank).edit('Settings')],
    [
      'a value',
      script()
        .in(bank, element({ value: 'Settings' }))
        .click(),
    ],
    ['typed where the context is not known', script().in(bank).focus().in(null).type('settings')],
  ])('is cut outside: %s', (_what, entered) => {
    expect(after(entered)).toEqual(['', '{typed} - Home - Word']);
  });
  it('is cut whatever was entered at an earlier stay', () => {
    const entered = script().in(bank).type('xx').in(context()).wheel(1).in(bank).type('settings');
    const { actions } = run(
      records([
        entered
          .in(context({ title: 'Settings' }))
          .focus()
          .end().events,
      ]),
    );
    expect(actions.at(-1)?.window).toBe('{typed}');
  });
});

it('a pause that reaches no event takes no texts', () => {
  const judge = () => ({ allowed: true, pausedIntervals: [[0, START - 1]] }) as const;
  expect(run(records([work()]), toolsWith({ consent: { judge } })).actions.at(-1)).toMatchObject({ target: 'Save' });
});

it('a successor knows the partition’s time: what was late stays late', () => {
  const early = record(work(), 0);
  const later = { session: 'b', device: 'phone', grantedAt: START + 36 * 60_000 };
  const before = pipelineOf();
  before.process(early);
  before.process(record(work(), 1, later));
  before.process(record(work(), 2, { ...later, session: 'c', grantedAt: later.grantedAt + 40 * 60_000 }));
  const { offset, time } = before.warmFrom(3);
  expect(offset).toBe(2);
  const successor = pipelineOf(toolsWith(), time);
  expect(successor.process({ ...early, offset: 3 })).toMatchObject({ kind: 'drop', reason: 'late', released: null });
});

it('starts at the time it is given', () => {
  const late = pipelineOf(toolsWith(), START + 40 * 60_000);
  expect(late.process(record(work(), 0))).toMatchObject({ kind: 'drop', reason: 'late' });
  expect(late.warmFrom(1)).toEqual({ offset: 1, time: START + 40 * 60_000 });
});

it('does not touch what it is given', () => {
  const freeze = <T>(value: T): T => {
    if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      for (const part of Object.values(value)) freeze(part);
      Object.freeze(value);
    }
    return value;
  };
  const codec = {
    openEnvelope: jsonCodec.openEnvelope,
    openPayload: (payload: Uint8Array) => freeze(jsonCodec.openPayload(payload)),
  };
  const { results } = run(records(cut(work(), [4, 9])), toolsWith({ codec }));
  expect(results.map(({ kind }) => kind)).toEqual(['keep', 'keep', 'keep']);
});

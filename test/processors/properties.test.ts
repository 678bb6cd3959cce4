/** The privacy rules, on random sessions. A failure prints its seed: `fc.assert(..., { seed, path })` plays it again. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CaptureEnvelope, CapturePayload } from '../../src/events/raw.ts';
import {
  ACTIONS,
  AMOUNTS,
  CELLS,
  DIRECTIONS,
  PAUSES,
  RELEASED_BUTTONS,
  type ReleasedAction,
} from '../../src/events/released.ts';
import type { Policy } from '../../src/privacy/policy.ts';
import { PLACEHOLDERS } from '../../src/privacy/public-text.ts';
import { foldAccents, tokens } from '../../src/privacy/text.ts';
import { createPipeline, preparePolicy, type PipelineTools } from '../../src/processors/pipeline.ts';
import type { RawRecord } from '../../src/processors/stages.ts';
import {
  balance,
  FREE_TEXT,
  OPEN_COLUMNS,
  pipelineOf,
  policyWith,
  record,
  records,
  run,
  subjectKey,
  toolsWith,
  VOCABULARY,
} from '../helpers/line.ts';
import { context, cut, element, Script, START } from '../helpers/recording.ts';
import { cutsOf, gibberish, play, stepsOf, type Play, type Step } from '../helpers/sessions.ts';

const RUNS = { numRuns: 300 };

/** What people enter, with words of the vocabulary in it. */
const wordy = fc.oneof(
  gibberish,
  fc.constantFrom(...VOCABULARY.entries.map(({ text }) => text)),
  fc.constantFrom('save home ', ' search', 'ings', 'Sett', 'page 7 of 8', '\n', ' '),
);

/** The rules hold whether a policy keeps reviewed texts only, or any in which nothing is recognised. */
const MODES = ['vocabulary', 'recognizers'] as const;
const changes = { vocabulary: {}, recognizers: FREE_TEXT } as const;
const toolsOf = (mode: (typeof MODES)[number], columns: Partial<Policy['columns']> = {}): PipelineTools => {
  const change = { columns: {}, ...changes[mode] };
  return toolsWith({ policy: policyWith({ ...change, columns: { ...OPEN_COLUMNS, ...change.columns, ...columns } }) });
};
const tools = { vocabulary: toolsOf('vocabulary'), recognizers: toolsOf('recognizers') };
const untimed = {
  vocabulary: toolsOf('vocabulary', { pause: 'none' }),
  recognizers: toolsOf('recognizers', { pause: 'none' }),
};
const releasedOf = (mode: (typeof MODES)[number], steps: readonly Step[], how?: Play) =>
  run(records([play(steps, how).end().events]), untimed[mode]).released;

describe.each(MODES)('rule 2 (%s): content never leaves', (mode) => {
  const other = (text: string): string => text.replaceAll(/[bcdf]/gu, 'ж').replaceAll(/[ghjk]/gu, '7');

  it('sessions that differ only in what was typed, pasted, copied or edited give the same batches', () => {
    fc.assert(
      fc.property(stepsOf(gibberish), (steps) => {
        expect(releasedOf(mode, steps, { content: other })).toEqual(releasedOf(mode, steps));
      }),
      RUNS,
    );
  });
});

describe.each(MODES)('rule 6 (%s): time and paths never leave', (mode) => {
  it('sessions that differ only in when people acted give the same batches', () => {
    fc.assert(
      fc.property(stepsOf(wordy), fc.array(fc.nat(400_000), { minLength: 1 }), (steps, waits) => {
        const slow = { waitMs: (i: number) => waits[i % waits.length] ?? 0 };
        expect(releasedOf(mode, steps, slow)).toEqual(releasedOf(mode, steps));
      }),
      RUNS,
    );
  });
  it('sessions that differ only in the pointer’s path give the same batches', () => {
    fc.assert(
      fc.property(stepsOf(wordy), fc.integer(), (steps, somewhere) => {
        expect(releasedOf(mode, steps, { path: () => somewhere })).toEqual(releasedOf(mode, steps));
      }),
      RUNS,
    );
  });
});

it.each(MODES)('how a session is cut into batches is not seen (%s)', (mode) => {
  const cuttings = stepsOf(wordy).chain((steps) => {
    const { events } = play(steps).end();
    return fc.tuple(fc.constant(events), cutsOf(events));
  });
  fc.assert(
    fc.property(cuttings, ([events, cuts]) => {
      expect(run(records(cut(events, cuts)), tools[mode]).actions).toEqual(run(records([events]), tools[mode]).actions);
    }),
    RUNS,
  );
});

describe('rule 5: no text but reviewed ones', () => {
  const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`);
  const oneOf = (...kinds: string[]): string =>
    [...PLACEHOLDERS, ...VOCABULARY.entries.filter(({ kind }) => kinds.includes(kind)).map(({ text }) => text)]
      .map(escape)
      .join('|');
  const segment = oneOf('text', 'app');
  const text = new RegExp(`^(${segment})( - (${segment}))*$`, 'u');
  const url = new RegExp(`^https?://(${oneOf('host')})(/(${oneOf('path')}))*$`, 'u');
  const { namedKeys, shortcuts } = policyWith().keystrokes;
  const roles = VOCABULARY.entries.flatMap((entry) => (entry.kind === 'role' ? [entry.text] : []));
  const isOneOf = (values: readonly string[]) => (value: string) => values.includes(value);
  const rules: Record<Exclude<keyof ReleasedAction, 'step'>, (value: string) => boolean> = {
    action: isOneOf(ACTIONS),
    app: (value) => text.test(value),
    window: (value) => text.test(value),
    url: (value) => url.test(value),
    target: (value) => text.test(value),
    target_role: isOneOf(roles),
    key: isOneOf([...namedKeys, ...shortcuts]),
    button: isOneOf(RELEASED_BUTTONS),
    direction: isOneOf(DIRECTIONS),
    cell: isOneOf(CELLS),
    pause: isOneOf(PAUSES),
    length: isOneOf(AMOUNTS),
    count: isOneOf(AMOUNTS),
  };

  it('whatever people do', () => {
    fc.assert(
      fc.property(stepsOf(wordy), (steps) => {
        const wrong = run(records([play(steps).end().events])).actions.flatMap(({ step: _step, ...action }) =>
          Object.entries(action).filter(
            ([column, value]) => value !== null && !rules[column as keyof typeof rules](value),
          ),
        );
        expect(wrong).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe.each(MODES)('rule 3 (%s): what was typed is not shown afterwards', (mode) => {
  const entries = VOCABULARY.entries.filter(({ kind, text }) => kind !== 'role' && text.length > 2);
  // An alias becomes the app's own name; where texts are kept as they are, it stays itself.
  const shown = [
    ...entries.map(({ text }) => ({ entered: text, text })),
    ...(mode === 'vocabulary' ? [{ entered: 'winword', text: 'Word' }] : []),
  ];
  const clean = (text: string): string => text.replaceAll('{n}', '5');
  const ways: Record<string, (text: string) => Step[]> = {
    typed: (text) => [{ do: 'type', text }],
    'typed with corrections': (text) => [
      { do: 'type', text: `${text}zz` },
      { do: 'key', key: 'Backspace' },
      { do: 'key', key: 'Backspace' },
    ],
    composed: (text) => [{ do: 'compose', text }],
    pasted: (text) => [{ do: 'paste', text: `some ${text} here` }],
    copied: (text) => [{ do: 'copy', text }],
    edited: (text) => [{ do: 'edit', text }],
    'typed in a private place': (text) => [
      { do: 'go', place: 4, field: 0 },
      { do: 'type', text },
      { do: 'go', place: 0, field: 0 },
    ],
  };
  const places: Step[] = [
    { do: 'go', place: 0, field: 0 },
    { do: 'go', place: 1, field: 2 },
    { do: 'go', place: 2, field: 3 },
    { do: 'go', place: 3, field: 1 },
  ].flatMap((go): Step[] => [go as Step, { do: 'click' }, { do: 'focus' }]);

  it.each(Object.entries(ways))('%s', (_way, way) => {
    fc.assert(
      fc.property(stepsOf(wordy, 10), stepsOf(gibberish, 10), fc.constantFrom(...shown), (before, after, entry) => {
        // In a field of its own: the words around it are not part of it.
        const entered: Step[] = [{ do: 'go', place: 0, field: 0 }, { do: 'focus' }, ...way(clean(entry.entered))];
        const first = [...before, ...entered, { do: 'key', key: 'Tab' } as const];
        const known = releasedOf(mode, first)[0]?.actions.length ?? 0;
        const later = releasedOf(mode, [...first, ...after, ...places])[0]?.actions.slice(known) ?? [];
        const texts = later.flatMap(({ app, window, url, target }) => [app, window, url, target]);
        const parts = texts.flatMap((text) => (text ?? '').split(/ - |:\/\/|\//u));
        const runs = texts.map((text) => ` ${tokens(text ?? '').join(' ')} `);
        expect(later.length).toBeGreaterThan(4);
        expect(parts).not.toContain(entry.text);
        // Free texts may have it in the middle of other words.
        expect(mode === 'recognizers' && runs.join('|').includes(` ${tokens(entry.text).join(' ')} `)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});

describe('rule 3 where any text is kept', () => {
  const word = fc.stringMatching(/^(?:[a-z]{3,9}|[A-Z][a-zäöüé]{2,8}|[а-я]{2,7}|[가-힣]{2,4})$/u);
  const gap = fc.constantFrom(' ', '-', '_', ', ', '/', '  ', ' 7 ');
  const rewrite = fc.constantFrom(
    (text: string) => text,
    (text: string) => text.toUpperCase(),
    (text: string) => foldAccents(text),
    (text: string) => text.normalize('NFD'),
    (text: string) => Array.from(text).join('\u200B'),
    (text: string) => `${text}s`,
    (text: string) => `${text}42`,
    (text: string) => `“${text}”`,
  );
  const enter: Readonly<Record<string, (s: Script, text: string) => Script>> = {
    typed: (s, text) => s.type(text).key('Enter'),
    pasted: (s, text) => s.clipboard('paste', text),
    copied: (s, text) => s.clipboard('copy', text),
    composed: (s, text) => s.compose(text),
    edited: (s, text) => s.edit(text),
  };
  const titleAfter = (way: string, entered: string, title: string): string => {
    const s = new Script({ stepMs: 20 })
      .in(context({ app: 'Word', title: 'Home' }), element({ role: 'textbox' }))
      .click();
    enter[way]?.(s, entered);
    s.in(context({ app: 'Word', title }), element({ role: 'textbox' }))
      .wait(900)
      .click();
    return run(records([s.end().events]), tools.recognizers).actions.at(-1)?.window ?? '';
  };

  it('no word that was entered is in a title that comes after, however it is written there', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(enter)),
        fc.array(word, { minLength: 1, maxLength: 6 }),
        fc.array(fc.tuple(fc.nat(), rewrite, gap), { minLength: 1, maxLength: 4 }),
        (way, words, shown) => {
          const echoed = shown.map(([i, write, between]) => write(words[i % words.length] ?? '') + between).join('');
          const title = titleAfter(way, words.join(' '), `Zzyx ${echoed}`);
          const left = tokens(foldAccents(title.normalize('NFC').toLowerCase()));
          const entered = words.flatMap((each) => tokens(foldAccents(each.toLowerCase())));
          // Words that happen to be a name are cut as one.
          expect(title).toMatch(/\{[a-z_]+\}/u);
          expect(left.filter((each) => entered.some((one) => each.startsWith(one)))).toEqual([]);
        },
      ),
      RUNS,
    );
  });

  it('nor are entered words that are written as one, or parts of what was entered as one', () => {
    const pair = fc.tuple(word, word).filter(([a, b]) => (a + b).length >= 6);
    fc.assert(
      fc.property(pair, fc.boolean(), ([a, b], apart) => {
        const [entered, shown] = apart ? [`${a} ${b}`, `${a}${b}`] : [`${a}${b}`, `${a} ${b}`];
        expect(titleAfter('typed', entered, `Zzyx ${shown}`)).toMatch(/^(?:Zzyx )?(?:\{[a-z_]+\} ?)+$/u);
      }),
      // The second half is taken for a name.
      { ...RUNS, examples: [[['гн', 'Aéüü'], false]] },
    );
  });

  it('an echo of which half is taken for a name is cut, also where a whole one is beside it', () => {
    expect(titleAfter('typed', 'гнAéüü', 'Zzyx гн aéüü - гн Aéüü')).not.toContain('гн');
    expect(titleAfter('typed', 'гнAéüü', 'Zzyx гн Aéüü (7)')).not.toContain('гн');
  });

  it('what was not entered stays', () => {
    expect(titleAfter('typed', 'please send it to us', 'Übersicht – Draft of letters')).toBe(
      'Übersicht – Draft of letters',
    );
  });

  it('no fingerprint’s key is seen in what is released', () => {
    fc.assert(
      fc.property(stepsOf(wordy), (steps) => {
        const input = records([play(steps).end().events]);
        const released = [1, 2].map((seed) => {
          const key = Array.from({ length: 9 }, (_, i) => 1_000 + seed * 7_919 + i * 104_729);
          const { policy, vocabulary } = tools.recognizers;
          const pipeline = createPipeline(tools.recognizers, preparePolicy(policy, vocabulary, key));
          return JSON.stringify(input.map((raw) => pipeline.process(raw).released));
        });
        expect(released[0]).toBe(released[1]);
      }),
      { numRuns: 30 },
    );
  });
});

/** A partition: batches of several people's sessions, mixed, some lost, some twice, some late. */
const partition: fc.Arbitrary<RawRecord[]> = fc
  .array(
    fc.record({
      steps: stepsOf(wordy, 12),
      cuts: fc.array(fc.nat(60), { maxLength: 4 }),
      subject: fc.constantFrom('ann', 'bob'),
      device: fc.constantFrom('laptop', 'phone'),
      grantedMinutes: fc.nat(50),
      ends: fc.boolean(),
      afterEnd: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .chain((sessions) => {
    const batches = sessions.flatMap(({ steps, cuts, subject, device, grantedMinutes, ends, afterEnd }, n) => {
      const script = play(steps);
      if (ends) script.end();
      if (ends && afterEnd) script.click().type('x');
      const grantedAt = START + grantedMinutes * 60_000 + n;
      return cut(
        script.events,
        cuts.map((at) => at % (script.events.length + 1)),
      ).map((placed, sequence) => {
        const receivedAt = grantedAt + (sequence + 1) * 5_001;
        return { placed, stretch: { subject, device, session: `s${n % 4}`, sequence, grantedAt, receivedAt } };
      });
    });
    const order = fc.array(
      fc.record({
        lost: fc.nat(9),
        again: fc.nat(6),
        delay: fc.oneof(
          fc.constant(0),
          fc.integer({ min: 20, max: 45 }).map((minutes) => minutes * 60_000),
        ),
        by: fc.nat(9_000),
      }),
      { minLength: batches.length, maxLength: batches.length },
    );
    return order.map((fates) => {
      const arrivals = batches.flatMap((batch, i) => {
        const fate = fates[i];
        if (fate === undefined || fate.lost === 0) return [];
        const receivedAt = batch.stretch.receivedAt + (fate.again === 1 ? fate.delay : 0);
        const arrival = { ...batch, stretch: { ...batch.stretch, receivedAt }, at: receivedAt + fate.by };
        return fate.again === 0 ? [arrival, { ...arrival, at: arrival.at + fate.delay }] : [arrival];
      });
      return arrivals.toSorted((a, b) => a.at - b.at).map(({ placed, stretch }, i) => record(placed, i * 3, stretch));
    });
  });

/** Consent that comes and goes by session, and takes single events of others. */
const moody = toolsWith({
  consent: {
    judge(_key, grantedAt, receivedAt) {
      if (receivedAt % 7 === 0) return { allowed: false, reason: 'withdrawn' };
      return { allowed: true, pausedIntervals: grantedAt % 3 === 0 ? [[START, grantedAt + 3_000]] : [] };
    },
  },
});

describe('a partition', () => {
  it('accounts for every raw event after every record', () => {
    fc.assert(
      fc.property(partition, fc.constantFrom(tools.vocabulary, tools.recognizers, moody), (input, tools) => {
        const pipeline = pipelineOf(tools);
        const results = [];
        for (const raw of input) {
          results.push(pipeline.process(raw));
          const { read, accounted } = balance(results);
          expect(accounted + pipeline.pending()).toBe(read);
        }
      }),
      RUNS,
    );
  });

  it('gives the same bytes to whoever works on it, from wherever they take over', () => {
    const restarts = fc.tuple(
      partition,
      fc.array(fc.nat(30), { maxLength: 30 }),
      fc.constantFrom(tools.vocabulary, tools.recognizers, moody),
    );
    fc.assert(
      fc.property(restarts, ([input, at, tools]) => {
        const undisturbed = run(input, tools).released;
        let pipeline = pipelineOf(tools);
        const released = [];
        for (const [i, raw] of input.entries()) {
          if (at.includes(i)) {
            const { offset, time } = pipeline.warmFrom(raw.offset);
            pipeline = pipelineOf(tools, time);
            for (const old of input.slice(0, i)) if (old.offset >= offset) pipeline.process(old);
          }
          const result = pipeline.process(raw);
          if (result.released !== null) released.push(result.released);
        }
        expect(JSON.stringify(released)).toBe(JSON.stringify(undisturbed));
      }),
      RUNS,
    );
  });

  it('numbers the steps of every session from 0 without holes, each once', () => {
    fc.assert(
      fc.property(partition, (input) => {
        const next = new Map<string, number>();
        for (const { session, actions } of run(input).released) {
          for (const { step } of actions) {
            expect(step).toBe(next.get(session) ?? 0);
            next.set(session, step + 1);
          }
        }
      }),
      RUNS,
    );
  });
});

describe('no batch makes it throw', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('https://%', 'view-source:', '{n}'),
  );
  const anyNumber = fc.oneof(fc.integer({ min: -3, max: 5 }), fc.double(), fc.constantFrom(START, START + 1));
  const anyEvent = fc.record({
    kind: fc.constantFrom(
      ...(['pointer_move', 'pointer_down', 'pointer_up', 'wheel', 'key_down', 'key_up', 'focus', 'navigate'] as const),
      ...(['clipboard', 'value_change', 'composition', 'session_end', 'unknown'] as const),
    ),
    at: anyNumber,
    context: anyNumber,
    element: anyNumber,
    x: anyNumber,
    y: anyNumber,
    dx: anyNumber,
    dy: anyNumber,
    button: fc.constantFrom('left', 'back', 'other'),
    key: fc.oneof(anyText, fc.constantFrom('Control', 'Alt', 'Shift', 'Enter', 'Backspace', 's')),
    code: fc.constantFrom('', 'Numpad1', 'Digit1'),
    op: fc.constantFrom('copy', 'paste'),
    text: anyText,
    value: anyText,
  });
  const anyPayload = fc.record({
    subject: anyText,
    device: anyText,
    contexts: fc.array(fc.record({ app: anyText, title: anyText, url: anyText, private: fc.boolean() }), {
      maxLength: 3,
    }),
    elements: fc.array(
      fc.record({
        role: anyText,
        name: anyText,
        value: anyText,
        secure: fc.boolean(),
        bounds: fc.option(fc.record({ x: anyNumber, y: anyNumber, width: anyNumber, height: anyNumber })),
      }),
      { maxLength: 3 },
    ),
    events: fc.array(anyEvent, { maxLength: 30 }),
  });
  const anyEnvelope = fc.record({ session: anyText, sequence: anyNumber, grantedAt: anyNumber, receivedAt: anyNumber });

  it.each(MODES)('and every event of it is accounted for (%s)', (mode) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyEnvelope, anyPayload), { maxLength: 6 }), (batches) => {
        // A codec that hands over what no codec would: values of any kind at all.
        const codec = {
          openEnvelope: ([i = 0]: Uint8Array) => {
            const envelope = batches[i]?.[0] as CaptureEnvelope;
            return { ok: true, value: { ...envelope, payload: Uint8Array.of(i), seal: null } } as const;
          },
          openPayload: ([i = 0]: Uint8Array) => ({ ok: true, value: batches[i]?.[1] as CapturePayload }) as const,
        };
        const input = batches.map(([, { subject }], i) => ({
          key: subjectKey(subject),
          value: Uint8Array.of(i),
          offset: i,
        }));
        const { results, pipeline } = run(input, { ...tools[mode], codec });
        const { read, accounted } = balance(results);
        expect(accounted + pipeline.pending()).toBe(read);
        expect(pipeline.warmFrom(batches.length).offset).toBeLessThanOrEqual(batches.length);
      }),
      { numRuns: 1000 },
    );
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/privacy/policy/digest.ts';
import type { Policy } from '../../src/privacy/policy.ts';
import { vocabularyOf } from '../../src/privacy/vocabulary-file.ts';
import { createSegmentPipeline, prepareSegments, type SegmentTools } from '../../src/processors/segmentPipeline.ts';
import type { RawRecord } from '../../src/processors/stages.ts';
import {
  balance,
  keyring,
  OPEN_COLUMNS,
  policyWith,
  record as recordOf,
  records as recordsOf,
  run,
  subjectKey,
  toolsWith,
} from '../helpers/line.ts';
import { context, cut, element, Script, type Placed } from '../helpers/recording.ts';
import { cutsOf, play, stepsOf } from '../helpers/sessions.ts';

// The words of a subject's name are theirs wherever they stand; `example` would be one in most other tests.
const ANN = { subject: 'ann' };
const record = (placed: readonly Placed[], offset: number): RawRecord => recordOf(placed, offset, ANN);
const records = (batches: readonly (readonly Placed[])[]): RawRecord[] => recordsOf(batches, ANN);

const NOTHING = vocabularyOf('[texts]\nWords that are public\n', 'nearly nothing');
const POLICY = policyWith({ columns: OPEN_COLUMNS });
const preparedFor = new WeakMap<Policy, SegmentTools['prepared']>();

function collect(input: readonly RawRecord[], change: Partial<SegmentTools> = {}) {
  const policy = change.policy ?? POLICY;
  let prepared = preparedFor.get(policy);
  if (prepared === undefined) preparedFor.set(policy, (prepared = prepareSegments(policy, NOTHING)));
  const seen: string[] = [];
  const people = new Set<string>();
  const pipeline = createSegmentPipeline({
    ...toolsWith(),
    policy,
    prepared,
    fingerprint: (text) => parseInt(sha256(text).slice(7, 19), 16),
    onSegment: (person, { kind, text }) => {
      people.add(person);
      seen.push(`${kind} ${text}`);
    },
    ...change,
  });
  const results = input.map((raw) => pipeline.process(raw));
  return { seen: [...new Set(seen)].toSorted(), people: [...people], results, pipeline };
}

const PAGE = context({ app: 'Firefox', title: 'Report 17 - Portal', url: 'https://docs.example.com/edit/17' });
const BUTTON = element({ role: 'button', name: 'Book it', value: '' });
const FIELD = element({ role: 'textbox', name: 'Comment' });
const ALL = [
  'app Firefox',
  'host docs.example.com',
  'path edit',
  'role button',
  'text Book it',
  'text Portal',
  'text Report {n}',
];
const onPage = (): Script => new Script().in(PAGE, BUTTON);
/** One more click elsewhere: an action may grow until the next one. */
const visit = (script: Script): Script =>
  script.wait(2_000).in(PAGE, BUTTON).click().wait(2_000).in(null, null).click();

describe('of what a person was shown', () => {
  it('every section gets its segments, as those of that person', () => {
    const { seen, people } = collect([record(visit(onPage()).events, 0)]);
    expect(seen).toEqual(ALL);
    expect(people).toEqual([subjectKey('ann')]);
  });

  it('nothing is taken that the policy would not keep', () => {
    const columns = { app: 'none', window: 'none', url: 'none', target: 'none', target_role: 'none' } as const;
    const whole = [record(visit(onPage()).events, 0)];
    for (const [column, kept] of [
      ['app', ['app Firefox']],
      ['window', ['text Portal', 'text Report {n}']],
      ['url', ['host docs.example.com', 'path edit']],
      ['target', ['text Book it']],
      ['target_role', ['role button']],
    ] as const) {
      const { [column]: _kept, ...others } = columns;
      expect(collect(whole, { policy: policyWith({ columns: others }) }).seen).toEqual(kept);
    }
  });

  it('nothing is taken of secure fields but their role', () => {
    const script = new Script().in(null, element({ role: 'textbox', name: 'Pin', secure: true })).click();
    expect(collect([record(visit(script).events, 0)]).seen).toEqual([...ALL, 'role textbox'].toSorted());
  });

  it('nothing is taken of excluded places', () => {
    for (const place of [
      context({ app: 'KeePassXC', title: 'Treasury' }),
      context({ app: 'Firefox', title: 'Treasury', private: true }),
    ]) {
      const script = new Script().in(place, element({ name: 'Vault' })).click();
      expect(collect([record(visit(script).events, 0)]).seen).toEqual(ALL);
    }
  });
});

describe('what is not counted', () => {
  it('is what was typed before in the session, alone, in part, and inside of more', () => {
    const typed = new Script().in(PAGE, FIELD).type('zebra crossing').key('Enter').wait(2_000);
    const shown = (title: string): string[] =>
      collect([record(visit(typed.in(context({ title }), BUTTON).click()).events, 0)]).seen;
    for (const title of ['Zebra crossing', 'zebra', 'Results for zebra', 'Crossing here']) {
      expect(shown(title)).not.toContain(`text ${title}`);
    }
    expect(shown('Giraffes')).toContain('text Giraffes');
  });

  it.each([
    ['pasted', (s: Script) => s.clipboard('paste', 'zebra')],
    ['copied', (s: Script) => s.clipboard('copy', 'zebra')],
    ['edited', (s: Script) => s.edit('zebra')],
    ['composed', (s: Script) => s.compose('zebra')],
    ['the value of a field', (s: Script) => s.on(element({ value: 'a zebra' })).click()],
    [
      'typed in an excluded place',
      (s: Script) =>
        s
          .in(context({ app: 'KeePassXC' }), FIELD)
          .type('zebra')
          .in(PAGE, FIELD),
    ],
  ])('is what was %s', (_how, enter) => {
    const script = enter(new Script().in(PAGE, FIELD))
      .wait(2_000)
      .in(context({ title: 'Zebra 4' }), BUTTON)
      .click();
    const { seen } = collect([record(visit(script).events, 0)]);
    expect(seen).toContain('text Portal');
    expect(seen.filter((text) => /zebra/iu.test(text))).toEqual([]);
  });

  it('is how the person is called', () => {
    const script = new Script().in(context({ title: 'Welcome Ann' }), BUTTON).click();
    expect(collect([record(visit(script).events, 0)]).seen).not.toContain('text Welcome Ann');
  });

  it('is what comes after a gap, until the session ends', () => {
    const first = new Script()
      .in(context({ title: 'Before' }), BUTTON)
      .click()
      .click()
      .wait(2_000);
    const rest = visit(visit(new Script({ at: first.at })));
    const [a, , c] = records([first.events, [], rest.events]);
    expect(collect([a, c].flatMap((one) => one ?? [])).seen.filter((text) => ALL.includes(text))).toEqual([]);
    const whole = collect(records([first.events, [], rest.events]));
    expect(whole.seen).toEqual(expect.arrayContaining(ALL));
  });

  it('is what the person did not agree to, and anything of the session after', () => {
    const input = records([visit(onPage()).events, visit(onPage()).events]);
    let asked = 0;
    const judge = () =>
      asked++ === 0
        ? ({ allowed: false, reason: 'withdrawn' } as const)
        : ({ allowed: true, pausedIntervals: [] } as const);
    expect(collect(input, { consent: { judge } }).seen).toEqual([]);
  });

  it('is a month whose key is destroyed', () => {
    const forgotten = { ...keyring, state: () => 'destroyed' as const };
    const { seen, results } = collect([record(visit(onPage()).events, 0)], { keyring: forgotten });
    expect(seen).toEqual([]);
    expect(results[0]?.reason).toBe('key_destroyed');
  });

  it('is what another person’s key is on', () => {
    const raw = record(visit(onPage()).events, 0);
    expect(collect([{ ...raw, key: subjectKey('bob') }]).seen).toEqual([]);
  });

  it('is anything after more was typed than is remembered', () => {
    const much = Array.from({ length: 60_000 }, (_, i) => `w${'abcdefghij'[i % 10] ?? ''}${i.toString(36)}`).join(' ');
    const script = new Script().in(PAGE, FIELD).edit(much).wait(2_000);
    expect(collect([record(visit(script).events, 0)]).seen).toEqual([]);
  });
});

it('every event is accounted for, and nothing is released', () => {
  fc.assert(
    fc.property(
      stepsOf(fc.constantFrom('zebra', 'Save', '12')).chain((steps) => {
        const { events } = play(steps);
        return fc.tuple(fc.constant(events), cutsOf(events));
      }),
      ([events, cuts]) => {
        const { results, pipeline } = collect(records(cut(events, cuts)));
        const { read, accounted } = balance(results);
        expect(accounted + pipeline.pending()).toBe(read);
        expect(results.every(({ released }) => released === null)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

it('nothing is collected that live work, with all of it as its vocabulary, would cut wherever it stands', () => {
  const word = fc.constantFrom('home', 'settings', 'inbox', 'report', 'search', 'letter');
  fc.assert(
    fc.property(stepsOf(word, 30), (steps) => {
      const input = records([play(steps).events]);
      const texts = collect(input).seen.flatMap((one) => (one.startsWith('text ') ? [one.slice(5)] : []));
      const vocabulary = vocabularyOf(`[texts]\n${texts.join('\n')}\n`, 'collected');
      // A policy of its own: what is prepared is kept by policy.
      const { actions } = run(input, toolsWith({ vocabulary, policy: { ...POLICY } }));
      const shown = actions.flatMap(({ window, target }) => [window ?? '', target ?? '']);
      for (const text of texts) expect(shown.some((one) => one.includes(text))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

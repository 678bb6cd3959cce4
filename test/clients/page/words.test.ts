import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe as group, expect, it } from 'vitest';
import { de } from '../../../clients/page/words/de.ts';
import { en } from '../../../clients/page/words/en.ts';
import {
  describe,
  droppedRows,
  languageOf,
  localeOf,
  pieces,
  reasonWords,
  type Words,
} from '../../../clients/page/words/index.ts';
import { DROP_REASONS, QUARANTINE_REASONS } from '../../../src/events/outcome.ts';
import { ACTIONS, AMOUNTS, CELLS, DIRECTIONS, PAUSES, RELEASED_BUTTONS } from '../../../src/events/released.ts';
import { packagePath } from '../../../src/package-path.ts';
import { PLACEHOLDERS } from '../../../src/privacy/public-text.ts';
import type { KeptAction } from '../../../src/producers/gateway/protocol.ts';

const LANGUAGES = [
  ['en', en],
  ['de', de],
] as const satisfies readonly (readonly [string, Words])[];

const NOTHING: KeptAction = {
  action: 'click',
  app: null,
  window: null,
  url: null,
  target_role: null,
  target: null,
  key: null,
  button: null,
  direction: null,
  cell: null,
  pause: null,
  length: null,
  count: null,
};

group.each(LANGUAGES)('in %s', (_, words) => {
  it('every action, reason and placeholder has words of its own', () => {
    expect(Object.keys(words.actions.sentences).sort()).toEqual([...ACTIONS].sort());
    expect(Object.keys(words.dropped).sort()).toEqual([...DROP_REASONS].sort());
    expect(Object.keys(words.placeholders).sort()).toEqual([...new Set(PLACEHOLDERS)].sort());
    for (const list of [words.dropped, words.placeholders]) {
      const said: readonly string[] = Object.values(list);
      expect(said.filter((text) => text.trim() === '')).toEqual([]);
      expect(new Set(said).size).toBe(said.length);
    }
    expect(new Set(ACTIONS.map((action) => describe({ ...NOTHING, action }, words).sentence)).size).toBe(
      ACTIONS.length,
    );
  });

  it('what is listed is told with its span', () => {
    const { keptIntro, keptNone, readersIntro, readersNone } = words.texts;
    expect(keptIntro).toMatch(/\b8\b.*\b200\b/u);
    expect(keptNone).toMatch(/\b8\b/u);
    expect(readersIntro).toMatch(/\b30\b.*\b200\b/u);
    expect(readersNone).toMatch(/\b30\b/u);
  });

  it('no reason is told by its name', () => {
    for (const reason of [...DROP_REASONS, ...QUARANTINE_REASONS]) {
      expect(reasonWords(reason, words)).not.toContain(`(${reason})`);
    }
    expect(reasonWords('constructor', words)).toContain('constructor');
  });

  /** A row whose every text is its own; closed sets and values that are not in them. */
  const text = (name: string): fc.Arbitrary<string | null> => fc.constantFrom(null, `the-${name}`);
  const one = (values: readonly string[]): fc.Arbitrary<string | null> => fc.constantFrom(null, ...values, 'new-value');
  const row: fc.Arbitrary<KeptAction> = fc.record({
    action: fc.constantFrom(...ACTIONS, 'hover'),
    app: text('app'),
    window: text('window'),
    url: text('url'),
    target_role: fc.constantFrom(null, 'button', 'textbox', 'strange', 'constructor'),
    target: text('target'),
    key: text('key'),
    button: one(RELEASED_BUTTONS),
    direction: one(DIRECTIONS),
    cell: one(CELLS),
    pause: one(PAUSES),
    length: one(AMOUNTS),
    count: one(AMOUNTS),
  });
  const told = (kept: KeptAction): string => {
    const { sentence, details } = describe(kept, words);
    return [sentence, ...details].join('\n');
  };

  /** Columns of which a person would not learn from what is told. */
  const hidden = (kept: KeptAction): readonly string[] => {
    const whole = told(kept);
    return Object.entries(kept).flatMap(([column, value]) => {
      // A click is one with the left button where nothing else is said.
      if (column === 'action' || value === null || value === 'left') return [];
      const isTold = /^the-|^new-/u.test(value) ? whole.includes(value) : told({ ...kept, [column]: null }) !== whole;
      return isTold ? [] : [column];
    });
  };

  it('nothing of a row is hidden from the person', () => {
    fc.assert(
      fc.property(row, (kept) => {
        expect(hidden(kept)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});

it('says in English what a person did', () => {
  const say = (change: Partial<KeptAction>): string => describe({ ...NOTHING, ...change }, en).sentence;
  const save = { app: 'Word', target_role: 'button', target: 'Save' };
  expect(say(save)).toBe('You clicked the button “Save” in Word');
  expect(say({ ...save, button: 'right' })).toBe('You clicked the button “Save” in Word with the right button');
  expect(say({ action: 'type', length: '<16', target_role: 'textbox' })).toBe(
    'You typed 4 to 15 characters into a text box',
  );
  expect(say({ action: 'type' })).toBe('You typed something (not even how long it was is kept) into something');
  expect(say({ action: 'press', key: 'Enter', count: '<4' })).toBe('You pressed Enter, 2 or 3 times');
  expect(say({ action: 'focus', app: 'Word' })).toBe('You went to Word');
  expect(say({ action: 'scroll', direction: 'down', count: '<4' })).toBe('You scrolled down, 1 to 3 steps');
});

it('says in German what a person did', () => {
  const say = (change: Partial<KeptAction>): string => describe({ ...NOTHING, ...change }, de).sentence;
  expect(say({ app: 'Word', target_role: 'button', target: 'Save' })).toBe(
    'Sie haben in Word auf die Schaltfläche „Save“ geklickt',
  );
  expect(say({ action: 'type', length: '<4', target_role: 'textbox', target: 'Betreff' })).toBe(
    'Sie haben 1 bis 3 Zeichen in das Textfeld „Betreff“ eingegeben',
  );
  expect(say({ action: 'away' })).toBe('Sie waren an einem privaten Ort: Davon wurde nichts behalten');
});

it('counts one as one', () => {
  expect([en.say.daySums('1', '1', '2'), de.say.daySums('1', '1', '2')]).toEqual([
    '1 line kept, from 1 event. 2 events dropped.',
    '1 Zeile behalten, aus 1 Ereignis. 2 Ereignisse verworfen.',
  ]);
  expect([en.say.daySums('2', '2', '1'), de.say.daySums('2', '2', '1')]).toEqual([
    '2 lines kept, from 2 events. 1 event dropped.',
    '2 Zeilen behalten, aus 2 Ereignissen. 1 Ereignis verworfen.',
  ]);
  expect([en.say.erased('9:00', '2', '1'), de.say.erased('9:00', '2', '1')]).toEqual([
    'Done on 9:00: 2 lines from 1 session removed.',
    'Erledigt am 9:00: 2 Zeilen aus 1 Sitzung entfernt.',
  ]);
  expect([en.say.charactersLeft('1'), de.say.charactersLeft('1')]).toEqual(['1 character left', 'noch 1 Zeichen']);
});

it('takes a text apart at its placeholders, and only there', () => {
  expect(pieces('{file} - Word {no_such} {constructor}')).toEqual([
    { placeholder: '{file}' },
    { text: ' - Word ' },
    { text: '{no_such}' },
    { text: ' ' },
    { text: '{constructor}' },
  ]);
});

it('sums what was dropped, most first', () => {
  expect(droppedRows({ paused: 2, bad_payload: 3, not_sealed: 4, key_up: 0 }, en)).toEqual([
    [en.setAside, 7],
    [en.dropped.paused, 2],
  ]);
});

it('takes the language of the browser', () => {
  expect(languageOf(['fr-CH', 'de-CH', 'en'])).toBe('de');
  expect(languageOf(['fr', 'constructor'])).toBe('en');
  expect(localeOf('en', ['de-AT', 'en-GB'])).toBe('en-GB');
  expect(localeOf('en', ['fr'])).toBe('en');
});

group('index.html', () => {
  const html = readFileSync(packagePath('clients/page/index.html'), 'utf8');
  const source = ['status', 'kept', 'readers', 'exemption', 'erasure']
    .map((name) => readFileSync(packagePath(`clients/page/${name}-section.ts`), 'utf8'))
    .join(readFileSync(packagePath('clients/page/page.ts'), 'utf8'));
  const asked = [...html.matchAll(/data-(?:text|label)="(\w+)"/gu)].map(([, key = '']) => key);

  it('asks for texts that there are', () => {
    expect(asked.filter((key) => !Object.hasOwn(en.texts, key))).toEqual([]);
  });

  it('leaves no text unused', () => {
    const unused = Object.keys(en.texts).filter(
      (key) => !asked.includes(key) && !new RegExp(`\\b${key}\\b`, 'u').test(source),
    );
    expect(unused).toEqual([]);
  });

  it('leaves nothing unsaid that it could say', () => {
    // The two answers to a request are told by their names.
    const said = Object.keys(en.say).filter((key) => !['granted', 'refused'].includes(key));
    expect(said.filter((key) => !new RegExp(`\\.${key}\\(`, 'u').test(source))).toEqual([]);
  });

  it('has nothing inline, which the browser would refuse', () => {
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/iu);
    expect([...html.matchAll(/<script([^>]*)>([^<]*)/gu)].map(([, attributes, body]) => [attributes, body])).toEqual([
      [' src="me/page.js" type="module"', ''],
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { createEchoMemory, type EchoMemory } from '../../src/privacy/echoes.ts';
import type { Policy } from '../../src/privacy/policy.ts';
import { redactKeystrokes } from '../../src/processors/redactKeystrokes.ts';
import type { KeylessEvent } from '../../src/processors/stages.ts';
import { policyWith, VOCABULARY } from '../helpers/line.ts';
import { context, cut, element, opened, script, type Placed, type Script } from '../helpers/recording.ts';

interface Redacted {
  readonly events: readonly KeylessEvent[];
  readonly dropped: object;
  readonly echoes: EchoMemory;
  readonly pending: number;
}

function redact(
  batches: readonly (readonly Placed[])[],
  keystrokes: Partial<Policy['keystrokes']> = {},
  gapBefore?: number,
): Redacted {
  const echoes = createEchoMemory(VOCABULARY);
  const redactor = redactKeystrokes({ policy: policyWith({ keystrokes }).keystrokes, echoes });
  const events: KeylessEvent[] = [];
  let dropped = {};
  for (const [i, placed] of batches.entries()) {
    if (i === gapBefore) redactor.onGap();
    const outcome = redactor.process(opened(placed));
    if (outcome.kind !== 'keep') throw new Error('the redactor keeps every batch');
    events.push(...outcome.batch.events);
    dropped = outcome.batch.dropped;
  }
  return { events, dropped, echoes, pending: redactor.pending() };
}

/** What is left of the keyboard, in short: `type <4`, `press Enter`, `Ctrl+S`, `edit`, `copied`, `focus`, ... */
function told(events: readonly KeylessEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.kind === 'typed') return [`type ${event.length ?? '-'}`];
    if (event.kind === 'pressed') return [`press ${event.key}`];
    if (event.kind === 'shortcut') return [event.key];
    if (event.kind === 'remembered' || event.kind === 'session_end') return [];
    return [event.kind];
  });
}

const tell = (written: Script, keystrokes: Partial<Policy['keystrokes']> = {}): string[] =>
  told(redact([written.end().events], keystrokes).events);

const remembers = (written: Script, text: string): boolean => {
  const { echoes } = redact([written.end().events]);
  const entry = VOCABULARY.entries.find((e) => e.text === text);
  if (entry === undefined) throw new Error(`${text} is not in the test vocabulary`);
  return echoes.has(entry.id, echoes.size);
};

describe('a run of typing', () => {
  it('becomes one typed, without any of its keys', () => {
    const { events } = redact([script().type('secret').end().events]);
    expect(told(events)).toEqual(['type <16']);
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  it.each([
    [1, '<4'],
    [3, '<4'],
    [4, '<16'],
    [15, '<16'],
    [16, '<64'],
    [63, '<64'],
    [64, '<256'],
    [255, '<256'],
    [256, 'more'],
    [2000, 'more'],
  ])('of %i keys has the length %s', (keys, length) => {
    expect(tell(script().type('x'.repeat(keys)))).toEqual([`type ${length}`]);
  });

  it('is not split at pauses', () => {
    expect(tell(script().type('ab').wait(3_600_000).type('cd'))).toEqual(['type <16']);
  });

  it('is not split at batch edges', () => {
    const { events } = script().type('abcdef').end();
    for (let at = 1; at < events.length; at++) expect(told(redact(cut(events, [at])).events)).toEqual(['type <16']);
  });

  it('is held back until it ends', () => {
    const { events, pending } = redact([script().type('abc').events]);
    expect([told(events), pending]).toEqual([[], 3]);
  });

  it.each<[string, (s: Script) => Script, string[]]>([
    ['a click', (s) => s.click(), ['type <4', 'pointer_down', 'pointer_up', 'type <4']],
    ['a change of focus', (s) => s.focus(), ['type <4', 'focus', 'type <4']],
    ['a page', (s) => s.navigate(), ['type <4', 'navigate', 'type <4']],
    ['Enter', (s) => s.key('Enter'), ['type <4', 'press Enter', 'type <4']],
    ['Tab', (s) => s.key('Tab'), ['type <4', 'press Tab', 'type <4']],
    ['Escape', (s) => s.key('Escape'), ['type <4', 'press Escape', 'type <4']],
    ['a shortcut', (s) => s.chord('Control', 's'), ['type <4', 'Ctrl+S', 'type <4']],
    ['another app', (s) => s.in(context({ app: 'Firefox' })), ['type <4', 'type <4']],
    ['a secure field', (s) => s.on(element({ secure: true })), ['type <4', 'type -']],
  ])('ends with %s', (_what, between, expected) => {
    expect(tell(between(script().type('ab')).type('cd'))).toEqual(expected);
  });

  it.each<[string, (s: Script) => Script]>([
    ['Backspace', (s) => s.key('Backspace')],
    ['Delete', (s) => s.key('Delete')],
    ['caret keys', (s) => s.key('ArrowLeft').key('ArrowUp').key('Home').key('End').key('PageDown')],
    ['selection', (s) => s.chord('Shift', 'ArrowLeft').chord('Control', 'Shift', 'ArrowLeft')],
    ['caret keys of macOS', (s) => s.chord('Meta', 'ArrowLeft').chord('Meta', 'ArrowRight').chord('Alt', 'ArrowLeft')],
    ['selection on macOS', (s) => s.chord('Shift', 'Meta', 'ArrowLeft')],
    ['the ends of a text', (s) => s.chord('Control', 'Home').chord('Control', 'End')],
    ['a selection that is cut', (s) => s.chord('Shift', 'Delete')],
    ['correction by word', (s) => s.chord('Control', 'Backspace')],
    ['a shortcut that is not listed', (s) => s.chord('Control', 'm')],
    ['a new title', (s) => s.in(context({ title: 'ab - Word' }))],
    ['a name of the element that follows the text', (s) => s.on(element({ name: 'ab' }))],
    ['an input that sits at the caret', (s) => s.on(element({ bounds: { x: 7, y: 9, width: 1, height: 9 } }))],
    ['an element that nobody knows', (s) => s.on(null)],
    ['a context that nobody knows', (s) => s.in(null)],
    ['a value', (s) => s.edit('ab')],
    ['the pointer', (s) => s.move(1, 2).move(3, 4)],
  ])('goes on over %s', (_what, between) => {
    expect(tell(between(script().type('a')).type('c')).filter((what) => what !== 'pointer_move')).toEqual(['type <4']);
  });

  it('does not tell corrections, nor how many', () => {
    const plain = script().type('abc');
    const corrected = script().type('ab').key('Backspace').key('ArrowLeft').key('Delete').type('c');
    expect(tell(corrected)).toEqual(tell(plain));
  });

  it('has the length of what stands there in the end, so that corrections cross no edge of a bucket', () => {
    const plain = script().type('abc');
    const corrected = script().type('abcdefgh');
    for (let i = 0; i < 5; i++) corrected.key('Backspace');
    expect(tell(corrected)).toEqual(tell(plain));
    const emptied = script().type('ab');
    for (let i = 0; i < 5; i++) emptied.key('Backspace');
    expect(tell(emptied.type('abc'))).toEqual(tell(plain));
  });
});

describe('keys outside a run', () => {
  it('are released by name when they are listed', () => {
    const keys = ['Enter', 'Backspace', 'Delete', 'ArrowDown', 'F5'];
    const written = script();
    for (const key of keys) written.key(key);
    expect(tell(written)).toEqual(keys.map((key) => `press ${key}`));
  });

  it.each(['Insert', 'LaunchMail', 'Unidentified', 'Password', 'Clear', '', 'é', 'Ω', '😀'])(
    'are content when they are not: %j',
    (key) => {
      expect(tell(script().key(key))).toEqual(['type <4']);
    },
  );

  it('drops modifiers, locks and releases, and counts them', () => {
    const { events, dropped } = redact([script().key('Shift').key('CapsLock').key('NumLock').end().events]);
    expect([told(events), dropped]).toEqual([[], { modifier: 3, key_up: 3 }]);
  });
});

describe('secure fields', () => {
  const password = element({ secure: true, name: 'Password' });
  it('do not tell the length', () => {
    expect(tell(script().on(password).type('a'))).toEqual(['type -']);
    expect(tell(script().on(password).type('x'.repeat(300)))).toEqual(['type -']);
  });
  it('take every editing key as content', () => {
    expect(tell(script().on(password).key('Backspace').key('ArrowLeft'))).toEqual(['type -']);
  });
  it('take editing keys with modifiers as content, before anything is typed as well', () => {
    const written = script().on(password).chord('Meta', 'ArrowLeft').type('ab').chord('Shift', 'Delete').type('c');
    expect(tell(written.chord('Control', 'End').chord('Alt', 'ArrowLeft'))).toEqual(['type -']);
  });
  it('release what ends a run', () => {
    expect(tell(script().on(password).type('ab').key('Enter'))).toEqual(['type -', 'press Enter']);
  });
});

describe('every way to compose a character is content', () => {
  const all = {
    shortcuts: ['Ctrl+E', 'Alt+E', 'Alt+1', 'Alt+0', 'Alt+F', 'Ctrl+Alt+E', 'Ctrl+Shift+E', 'Alt+ArrowLeft'],
  };
  it.each<[string, Script]>([
    ['AltGr', script().chord('AltGraph', 'e')],
    ['AltGr as Windows reports it', script().chord('Control', 'AltGraph', 'e')],
    ['Ctrl+Alt', script().chord('Control', 'Alt', 'e')],
    ['a dead key', script().key('Dead').key('e')],
    ['a compose key', script().key('Compose').key('e')],
    ['an input method', script().key('Process').key('Process').compose('é')],
    ['Alt and the number pad', script().down('Alt').key('1', 'Numpad1').key('0', 'Numpad0').up('Alt')],
    ['the number pad without its lock', script().down('Alt').key('ArrowLeft', 'Numpad4').up('Alt')],
    ['Alt and digits from who knows where', script().down('Alt').key('1').key('0').up('Alt')],
    ['Alt, the number pad and letters', script().down('Alt').key('+', 'NumpadAdd').key('e').key('f').up('Alt')],
    ['Option symbols', script().chord('Alt', '∂').chord('Alt', '@')],
    ['shift', script().chord('Shift', 'E')],
  ])('%s', (_what, written) => {
    expect(tell(written, all)).toEqual(['type <4']);
  });

  it('a number entered with Ctrl+Shift+U', () => {
    const written = script().down('Control').down('Shift').key('U').key('E').key('9').up('Shift').up('Control');
    expect(tell(written, all)).toEqual(['type <4']);
  });

  it('an input method counts what it wrote', () => {
    expect(tell(script().compose('日本語入力'))).toEqual(['type <16']);
  });

  it('digits of the upper row with Alt are a shortcut where one is listed', () => {
    expect(tell(script().down('Alt').key('1', 'Digit1').up('Alt'), all)).toEqual(['Alt+1']);
  });

  it('letters after the code are shortcuts again', () => {
    const written = script().down('Alt').key('1', 'Numpad1').up('Alt').chord('Alt', 'e');
    expect(tell(written, all)).toEqual(['type <4', 'Alt+E']);
    const hex = script()
      .down('Control')
      .down('Shift')
      .key('U')
      .key('E')
      .up('Shift')
      .up('Control')
      .chord('Control', 'e');
    expect(tell(hex, all)).toEqual(['type <4', 'Ctrl+E']);
  });
});

describe('shortcuts', () => {
  it.each([
    [['Control', 's'], 'Ctrl+S'],
    [['Control', 'S'], 'Ctrl+S'],
    [['Control', 'Shift', 'Z'], 'Ctrl+Shift+Z'],
    [['Meta', ' '], 'Meta+Space'],
    [['OS', 'v'], 'Meta+V'],
    [['Alt', 'Tab'], 'Alt+Tab'],
    [['Shift', 'Tab'], 'Shift+Tab'],
    [['Control', 'Alt', 'Delete'], 'Ctrl+Alt+Delete'],
    [['Meta', 'ArrowLeft'], 'Meta+ArrowLeft'],
    [['Control', 'Home'], 'Ctrl+Home'],
  ])('%j is %s', (keys, name) => {
    expect(tell(script().chord(...keys))).toEqual([name]);
  });

  it('that are not listed are content', () => {
    expect(tell(script().chord('Control', 'm').chord('Alt', 'x').chord('Shift', 'Insert'))).toEqual(['type <4']);
  });
});

describe('a modifier whose release was not seen', () => {
  const stuck = (waitMs: number): Script => {
    const s = script().down('Control');
    return s.wait(waitMs - s.stepMs).key('s');
  };
  it('holds for as long as the policy says', () => {
    expect(tell(stuck(10_000))).toEqual(['Ctrl+S']);
  });
  it('counts as released after that', () => {
    expect(tell(stuck(10_001))).toEqual(['type <4']);
  });
  it('counts as released when the clock runs backwards', () => {
    expect(tell(script().down('Control').wait(-500).key('s'))).toEqual(['type <4']);
  });
  it.each<[string, (s: Script) => Script]>([
    ['focus', (s) => s.focus()],
    ['navigate', (s) => s.navigate()],
  ])('counts as released after %s', (kind, change) => {
    expect(tell(change(script().down('Control')).key('s'))).toEqual([kind, 'type <4']);
  });
  it('counts as released after a gap', () => {
    const batches = [script().down('Control').events, script().key('s').end().events];
    expect(told(redact(batches, {}, 1).events)).toEqual(['type <4']);
    expect(told(redact(batches).events)).toEqual(['Ctrl+S']);
  });
});

it('a gap ends an open run', () => {
  const batches = [script().type('ab').events, script().type('c').end().events];
  expect(told(redact(batches, {}, 1).events)).toEqual(['type <4', 'type <4']);
});

describe('edits and the clipboard', () => {
  it('an edit outside of a run is told, without its value', () => {
    const { events } = redact([script().edit('Settings').end().events]);
    expect(told(events)).toEqual(['edited']);
    expect(JSON.stringify(events)).not.toContain('Settings');
  });
  it('an edit inside a run belongs to it', () => {
    expect(tell(script().type('a').edit('a').type('b').edit('ab'))).toEqual(['type <4']);
  });
  it('clipboard use keeps the kind of use only', () => {
    const { events } = redact([script().clipboard('copy', 'Inbox').end().events]);
    expect(told(events)).toEqual(['copied']);
    expect(events.find((event) => event.kind === 'copied')).not.toHaveProperty('text');
  });
});

describe('what was typed is remembered', () => {
  it.each<[string, Script]>([
    ['typed', script().type('settings')],
    ['typed with shift', script().chord('Shift', 'S').type('ettings')],
    ['typed with a pause and a scroll', script().type('sett').wheel(3).type('ings')],
    ['typed with corrections', script().type('setx').key('Backspace').type('tings')],
    ['typed out of order', script().type('tings').key('Home').type('set')],
    ['typed out of order on macOS', script().type('tings').chord('Meta', 'ArrowLeft').type('set')],
    [
      'typed out of order on macOS, and back',
      script().type('ett').key('Home').type('s').chord('Meta', 'ArrowRight').type('ings'),
    ],
    ['typed out of order by word', script().type('see tings').chord('Alt', 'ArrowLeft').type('set')],
    ['typed out of order with Ctrl', script().type('tings').chord('Control', 'Home').type('set')],
    [
      'typed over a selection that is cut',
      script()
        .type('setxx')
        .chord('Shift', 'ArrowLeft')
        .chord('Shift', 'ArrowLeft')
        .chord('Shift', 'Delete')
        .type('tings'),
    ],
    [
      'typed over a selection',
      script().type('setxx').chord('Shift', 'ArrowLeft').chord('Shift', 'ArrowLeft').type('tings'),
    ],
    ['typed in two runs', script().type('sett').chord('Control', 's').type('ings')],
    ['corrected outside of a run', script().type('settx').click().key('Backspace').type('ings')],
    ['typed, with a shortcut that is not listed between', script().type('sett').chord('Control', 'm').type('ings')],
    ['typed after something pasted elsewhere', script().clipboard('paste', 'x').click().type('settings')],
    ['typed and deleted again', script().type('settings').chord('Control', 'Backspace')],
    ['composed', script().key('Process').compose('settings')],
    ['composed between keys that only spell it', script().type('se').compose('settings').type('x')],
    ['sent in one piece', script().key('Settings')],
    ['pasted', script().clipboard('paste', 'see settings')],
    ['copied', script().clipboard('copy', 'Settings')],
    ['pasted and typed on', script().type('se').clipboard('paste', 'tt').type('ings')],
    ['an edited value', script().edit('Settings')],
    [
      'a value that was there',
      script()
        .on(element({ value: 'Settings' }))
        .click(),
    ],
    [
      'a value under the pointer',
      script()
        .on(element({ role: 'custom', value: 'Settings' }))
        .move(1, 1),
    ],
    [
      'in a secure field',
      script()
        .on(element({ secure: true }))
        .type('settings'),
    ],
    ['inside a long run', script().type(`${'lorem '.repeat(200)}settings ${'ipsum '.repeat(200)}`)],
    ['at every edge of a piece', script().type('settings '.repeat(300))],
  ])('%s', (_what, written) => {
    expect(remembers(written, 'Settings')).toBe(true);
  });

  it('only as whole words', () => {
    expect(remembers(script().type('savex'), 'Save')).toBe(false);
    expect(remembers(script().type('xsave'), 'Save')).toBe(false);
  });
  it('captions are no input', () => {
    expect(
      remembers(
        script()
          .on(element({ role: 'button', value: 'Save' }))
          .click(),
        'Save',
      ),
    ).toBe(false);
  });
  it('the clipboard does not join what is in two fields', () => {
    expect(remembers(script().type('inb').focus().key('Enter').type('x'), 'Inbox')).toBe(false);
  });

  it('before anything after it leaves, wherever the batches are cut', () => {
    const { events } = script().type('inb').type('ox').wheel(1).type('es').click().end();
    const whole = redact([events]).events;
    for (let at = 1; at < events.length; at++) expect(redact(cut(events, [at])).events).toEqual(whole);
    expect(whole.map((event) => event.kind).slice(0, 2)).toEqual(['remembered', 'wheel']);
  });
});

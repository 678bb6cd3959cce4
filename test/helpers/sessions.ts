/** Random sessions for property tests: what a person does, in steps that can be played with other content, times or paths. */
import * as fc from 'fast-check';
import type { Context, UiElement } from '../../src/events/raw.ts';
import { context, element, Script, type Placed } from './recording.ts';

export type Step =
  | { readonly do: 'type'; readonly text: string }
  | { readonly do: 'compose' | 'paste' | 'copy' | 'edit'; readonly text: string }
  | { readonly do: 'key' | 'odd key'; readonly key: string }
  | { readonly do: 'chord'; readonly keys: readonly string[] }
  | { readonly do: 'click' | 'double click' | 'drag' | 'hold' | 'half a click' | 'focus' | 'navigate' }
  | { readonly do: 'scroll'; readonly dy: number }
  | { readonly do: 'move'; readonly n: number }
  | { readonly do: 'go'; readonly place: number; readonly field: number };

/** How the same steps are played: what may differ between two sessions without being seen. */
export interface Play {
  /** Another text for one that a person entered; as many characters, or it would be seen. */
  readonly content?: (text: string) => string;
  /** How long the person waits before step `i` and between keys, ms. */
  readonly waitMs?: (i: number) => number;
  /** Where the pointer goes while it moves. */
  readonly path?: (i: number) => number;
}

export const PLACES: readonly (Context | null)[] = [
  context({ app: 'Word', title: 'Home - Word' }),
  context({ app: 'winword', title: 'Ann’s letter.docx - Save as - Word' }),
  context({
    app: 'Firefox',
    title: 'Settings - Inbox (17) - Firefox',
    url: 'https://docs.example.com/settings/17?q=ann',
  }),
  context({ app: 'Firefox', title: 'New report', url: 'https://intranet.corp.example/ann/edit' }),
  context({ app: 'KeePassXC', title: 'Passwords - Home' }),
  context({ app: 'Firefox', title: 'Home', url: 'https://mail.example.com', private: true }),
  null,
];

export const FIELDS: readonly (UiElement | null)[] = [
  element({ role: 'textbox', name: 'Search' }),
  element({ role: 'textbox', name: 'Settings', value: 'page 3', bounds: null }),
  element({ role: 'button', name: 'Save', value: 'Save' }),
  element({ role: 'link', name: 'Page 4 of 9' }),
  element({ role: 'secret-widget', name: 'Bob Miller', value: 'Bob Miller' }),
  element({ role: 'textbox', name: 'Password', secure: true }),
  null,
];

const NAMED = ['Enter', 'Tab', 'Escape', 'Backspace', 'Delete', 'ArrowLeft', 'Home', 'End', 'F5'];
const ODD = ['Insert', 'Unidentified', 'Dead', 'Process', 'Compose', 'CapsLock', 'LaunchMail', '', 'ß', '😀', 'Ω'];
const CHORDS = [
  ['Control', 's'],
  ['Control', 'm'],
  ['Shift', 'Tab'],
  ['Shift', 'ArrowLeft'],
  ['Control', 'Shift', 'z'],
  ['Control', 'Alt', 'e'],
  ['AltGraph', 'q'],
  ['Control', 'Backspace'],
  ['Control', 'Home'],
];

/** Words of no vocabulary: no vowels. */
export const gibberish: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom('b', 'c', 'd', 'f', 'g', 'h', 'j', 'k'),
  maxLength: 12,
});

/** A person's steps; `text` is what they enter. */
export const stepsOf = (text: fc.Arbitrary<string>, maxLength = 25): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('type' as const), text }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('compose', 'paste', 'copy', 'edit'), text }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('key' as const), key: fc.constantFrom(...NAMED) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('odd key' as const), key: fc.constantFrom(...ODD) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('chord' as const), keys: fc.constantFrom(...CHORDS) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constantFrom('click', 'double click', 'drag', 'hold', 'half a click', 'focus', 'navigate'),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('scroll' as const), dy: fc.constantFrom(-3, 1) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), n: fc.nat(4) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant('go' as const),
          place: fc.nat(PLACES.length - 1),
          field: fc.nat(FIELDS.length - 1),
        }),
      },
    ),
    { maxLength },
  );

/** Steps apart enough that no two clicks become one, whatever is added to the wait. */
const APART_MS = 700;

export function play(steps: readonly Step[], how: Play = {}, s = new Script({ stepMs: 20 })): Script {
  const { content = (text) => text, waitMs = () => 0, path = (i) => i } = how;
  const typed = (text: string): void => {
    for (const sign of content(text)) s.wait(waitMs(sign.length)).key(sign);
  };
  for (const [i, step] of steps.entries()) {
    s.wait(APART_MS + waitMs(i));
    switch (step.do) {
      case 'type':
        typed(step.text);
        break;
      case 'compose':
        s.compose(content(step.text));
        break;
      case 'paste':
      case 'copy':
        s.clipboard(step.do, content(step.text));
        break;
      case 'edit':
        s.edit(content(step.text));
        break;
      case 'key':
      case 'odd key':
        s.key(step.key);
        break;
      case 'chord':
        s.chord(...step.keys);
        break;
      case 'click':
        s.click();
        break;
      case 'double click':
        s.click().click();
        break;
      case 'drag':
        s.press(0, 0).move(path(i), path(i)).lift(50, 50);
        break;
      case 'hold':
        s.press().wait(2000).lift();
        break;
      case 'half a click':
        s.press();
        break;
      case 'focus':
        s.focus();
        break;
      case 'navigate':
        s.navigate();
        break;
      case 'scroll':
        s.wheel(step.dy);
        break;
      case 'move':
        for (let n = 0; n < step.n; n++) s.move(path(n), path(i));
        break;
      case 'go':
        s.in(PLACES[step.place] ?? null, FIELDS[step.field] ?? null);
        break;
    }
  }
  return s;
}

/** Positions to cut a session at. */
export const cutsOf = (placed: readonly Placed[]): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(placed.length), { maxLength: 6 });

/** All that the page says, in one language. What is exhaustive here cannot be forgotten in a language. */
import type { DropReason } from '../../../src/events/outcome.ts';
import type { ActionName, Amount, Cell, Direction, Pause, ReleasedButton } from '../../../src/events/released.ts';
import type { SpanKind } from '../../../src/privacy/recognizers/span.ts';
import type { KeptAction } from '../../../src/producers/gateway/protocol.ts';
import type { en } from './en.ts';

export type Lang = 'en' | 'de';

/** Stands in a kept text for what was cut out; the same as the processors' own list, which a test compares. */
export type Placeholder = '{text}' | '{typed}' | '{file}' | '{host}' | '{part}' | '{n}' | '{more}' | `{${SpanKind}}`;

/** What has a fixed text: `data-text` in index.html, and parts of what is made by script. */
export type TextKey = keyof (typeof en)['texts'];

/** Of an action, in words that a sentence can take in. */
export interface Parts {
  /** What was acted on: `the button “Save”`; a word for something not known when nothing is. */
  readonly what: string;
  /** ` in Word`, or nothing. */
  readonly where: string;
  /** `, 4 to 15 times`, or nothing. */
  readonly times: string;
  /** ` with the right button`, or nothing. */
  readonly button: string;
  readonly direction: string;
  readonly length: string;
  readonly steps: string;
  readonly key: string;
  readonly url: string;
}

export interface ActionWords {
  readonly sentences: Readonly<Record<ActionName, (parts: Parts) => string>>;
  /** Of an action that this page does not know. */
  readonly unknown: (name: string) => string;
  /** ARIA roles, as the object of a sentence: of a named one, of one without a name. */
  readonly roles: Readonly<Record<string, readonly [named: string, unnamed: string]>>;
  readonly unknownRole: readonly [named: (role: string) => string, unnamed: (role: string) => string];
  readonly something: string;
  readonly quoted: (text: string) => string;
  readonly inApp: (app: string) => string;
  readonly times: Readonly<Record<Amount, string>>;
  readonly steps: Readonly<Record<Amount, string>>;
  readonly noSteps: string;
  readonly characters: Readonly<Record<Amount, string>>;
  readonly noLength: string;
  readonly noKey: string;
  readonly noPage: string;
  readonly buttons: Readonly<Record<ReleasedButton, string>>;
  readonly directions: Readonly<Record<Direction, string>>;
  readonly noDirection: string;
  readonly cells: Readonly<Record<Cell, string>>;
  readonly pauses: Readonly<Record<Pause, string>>;
  /** Before what a sentence has no place for. */
  readonly labels: Readonly<Record<Exclude<keyof KeptAction, 'action'>, string>>;
}

export interface Words {
  readonly lang: Lang;
  readonly texts: Readonly<Record<TextKey, string>>;
  /** Typed to confirm an erasure. */
  readonly eraseWord: string;
  readonly actions: ActionWords;
  readonly dropped: Readonly<Record<DropReason, string>>;
  /** Of a batch that could not be processed, whatever the reason. */
  readonly setAside: string;
  readonly otherReason: (name: string) => string;
  readonly placeholders: Readonly<Record<Placeholder, string>>;
  /** Of refusals, for the person; others are told as `failed`. */
  readonly say: {
    readonly pausedUntil: (time: string) => string;
    readonly pauseLeft: (time: string) => string;
    readonly sessions: (count: number, text: string) => string;
    readonly lastKnown: (what: string, time: string) => string;
    readonly sent: (sent: string, budget: string, share: string) => string;
    readonly pauseFor: (minutes: number) => string;
    readonly daySums: (rows: string, events: string, dropped: string) => string;
    /** Where an answer holds fewer lines than were kept. */
    readonly lastOf: (shown: string, rows: string) => string;
    readonly showAll: (count: string) => string;
    readonly asked: (time: string) => string;
    readonly granted: (time: string) => string;
    readonly refused: (time: string) => string;
    readonly erasing: (time: string) => string;
    readonly erased: (time: string, rows: string, sessions: string) => string;
    readonly charactersLeft: (count: string) => string;
  };
}

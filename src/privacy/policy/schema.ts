/**
 * What a policy file may say: one declaration that gives the types, the checks and the reference page (docs/policy.md).
 *
 * Every rule is required. A default would be a privacy decision that nobody reviewed.
 */
import * as z from 'zod';
import { NAMED_KEYS, isCharacter, parseShortcut, shortcutName } from '../keys.ts';
import { SPAN_KINDS } from '../recognizers/span.ts';
import { nearest } from './nearest.ts';

/** A checked policy, frozen. */
export type Policy = DeepReadonly<z.output<typeof policySchema>> & {
  /**
   * `sha256:` and 64 hex characters over the canonical JSON of the checked policy, the vocabulary's digest included.
   * Travels with every released batch.
   */
  readonly digest: string;
};

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** Most entries that one list of a policy may have. */
const MAX_LIST = 2000;

const wholeNumber = (min: number, max: number): z.ZodInt => z.int().min(min).max(max);

const line = (max: number): z.ZodString => z.string().trim().min(1).max(max);

/** A list of texts without doubles; `same` says what counts as the same entry. */
function list<T extends z.ZodType<string>>(item: T, same: (text: string) => string = (text) => text): z.ZodArray<T> {
  return z
    .array(item)
    .max(MAX_LIST)
    .superRefine((texts, context) => {
      const seen = new Set<string>();
      for (const [index, text] of texts.entries()) {
        if (seen.has(same(text)))
          context.addIssue({ code: 'custom', path: [index], input: text, message: 'is listed twice: remove one' });
        seen.add(same(text));
      }
    });
}

/** What is wrong with a key's name for a list of named keys, else undefined. */
function namedKeyFault(key: string): string | undefined {
  if (isCharacter(key) || /^(space|spacebar)$/iu.test(key)) {
    return 'is a character: listing it would release what people type. Name keys that type nothing, such as Enter';
  }
  if (NAMED_KEYS.includes(key)) return undefined;
  return `is not a named key of KeyboardEvent.key that may be released${didYouMean(key, NAMED_KEYS)}`;
}

/** What is wrong with a shortcut, else undefined. */
function shortcutFault(shortcut: string): string | undefined {
  const parsed = parseShortcut(shortcut);
  if (parsed === undefined) return 'names no key: write it like Ctrl+S';
  const { modifiers, key } = parsed;
  const character = isCharacter(key) || /^space(bar)?$/iu.test(key);
  const named = character ? undefined : (NAMED_KEYS.find((known) => known.toLowerCase() === key.toLowerCase()) ?? key);
  if (named !== undefined && !NAMED_KEYS.includes(named)) {
    return `ends in no known key${didYouMean(key, [...NAMED_KEYS, 'Space'])}`;
  }
  const { ctrl, alt, shift, meta } = modifiers;
  if (!ctrl && !alt && !meta && !(shift && !character)) {
    return 'needs Ctrl, Alt or Meta (or Shift with a named key): without them it is what people type';
  }
  if (ctrl && alt && character) {
    return 'is Ctrl+Alt with a character: keyboards send AltGr characters that way, so it would release what people type';
  }
  const canonical = shortcutName(modifiers, named ?? (/^space/iu.test(key) ? ' ' : key));
  return canonical === shortcut ? undefined : `is not spelled in the one accepted way: write ${canonical}`;
}

const didYouMean = (name: string, known: Iterable<string>): string => {
  const near = nearest(name, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
};

/** A text that `fault` finds nothing wrong with. */
const checked = (fault: (text: string) => string | undefined): z.ZodString =>
  z
    .string()
    .max(200)
    .superRefine((text, context) => {
      const message = fault(text);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });

function hostFault(host: string): string | undefined {
  if (/^[a-z0-9]+([.-][a-z0-9]+|--[a-z0-9]+)*\.[a-z][a-z0-9-]*$/u.test(host) && host.length <= 253) return undefined;
  return 'is not a host name: write the bare domain in lower case, such as example.com (punycode for other alphabets)';
}

function titleFault(words: string): string | undefined {
  if (/[\p{L}\p{N}]/u.test(words) && words.trim() === words && words.length >= 2) return undefined;
  return 'holds no word to look for: write plain words, such as private browsing';
}

const oneOf = <const T extends readonly [string, ...string[]]>(
  values: T,
  text: string,
): z.ZodEnum<{ [K in T[number]]: K }> => z.enum(values).describe(text);

const vocabularyRule = z.strictObject({
  file: line(500).describe('The vocabulary file, relative to the policy file.'),
  digest: z
    .string()
    .regex(
      /^sha256:[0-9a-f]{64}$/u,
      'is not a digest: sha256: and 64 hex characters, as `redactory vocabulary show` prints it',
    )
    .describe('The digest of the reviewed vocabulary; another vocabulary is refused.'),
});

const contextsRule = z.strictObject({
  unknown: oneOf(
    ['keep', 'drop'],
    'What happens to events of which no window is known. `keep` releases the kind of action only: there is no text to release.',
  ),
  private: z
    .literal('exclude')
    .describe('Private (incognito) windows are never recorded. This rule cannot be turned off; the policy states it.'),
  excludeApps: list(line(100), (app) => app.toLowerCase()).describe(
    'Apps of which nothing is recorded: names as the system shows them, compared without case, accents and `.exe`.',
  ),
  excludeHosts: list(checked(hostFault)).describe(
    'Hosts of which nothing is recorded: the domain and all its subdomains.',
  ),
  excludeTitles: list(checked(titleFault), (title) => title.toLowerCase()).describe(
    'Words in window titles of which nothing is recorded: whole words, compared without case and accents; no patterns.',
  ),
});

const keystrokesRule = z
  .strictObject({
    namedKeys: list(checked(namedKeyFault)).describe(
      'Keys that may be released by name. All others are content: they become a `type` action without any of it.',
    ),
    releasingKeys: list(checked(namedKeyFault)).describe('Named keys that end a run of typing.'),
    editingKeys: list(checked(namedKeyFault)).describe(
      'Named keys that belong to a run of typing when pressed inside one, so that corrections are not seen.',
    ),
    shortcuts: list(checked(shortcutFault)).describe(
      'Key combinations that may be released, spelled `Ctrl+Alt+Shift+Meta+Key`. All others are content.',
    ),
    modifierHoldSeconds: wholeNumber(1, 60).describe(
      'After so many seconds a held modifier whose release was not seen counts as released.',
    ),
  })
  .superRefine((keys, context) => {
    for (const name of ['releasingKeys', 'editingKeys'] as const) {
      for (const [index, key] of keys[name].entries()) {
        if (!keys.namedKeys.includes(key)) {
          context.addIssue({
            code: 'custom',
            path: [name, index],
            input: key,
            message: 'is not in namedKeys: add it there or remove it here',
          });
        } else if (name === 'editingKeys' && keys.releasingKeys.includes(key)) {
          context.addIssue({
            code: 'custom',
            path: [name, index],
            input: key,
            message: 'is in releasingKeys as well: a key cannot do both',
          });
        }
      }
    }
  });

const gesturesRule = z
  .strictObject({
    clickMs: wholeNumber(50, 5000).describe('A click lasts less than this, in milliseconds.'),
    clickPx: wholeNumber(1, 100).describe('A click moves less than this, in pixels.'),
    dragPx: wholeNumber(1, 200).describe('A drag moves more than this, in pixels.'),
    longPressMs: wholeNumber(100, 10_000).describe('A long press lasts more than this, in milliseconds.'),
    doubleClickMs: wholeNumber(50, 5000).describe(
      'The second click of a double click follows within this, in milliseconds.',
    ),
    doubleClickPx: wholeNumber(1, 100).describe('The second click of a double click is nearer than this, in pixels.'),
  })
  .superRefine((gestures, context) => {
    if (gestures.dragPx < gestures.clickPx) {
      context.addIssue({
        code: 'custom',
        path: ['dragPx'],
        input: gestures.dragPx,
        message: 'is smaller than clickPx: a press would be both',
      });
    }
    if (gestures.longPressMs < gestures.clickMs) {
      context.addIssue({
        code: 'custom',
        path: ['longPressMs'],
        input: gestures.longPressMs,
        message: 'is smaller than clickMs: a press would be both',
      });
    }
  });

const textRule = z.strictObject({
  mode: oneOf(
    ['vocabulary', 'recognizers'],
    'How texts are judged. `vocabulary`: kept only as entries of the vocabulary. `recognizers`: columns may keep any text in which recognisers find nothing (detection only), for places that accept less.',
  ),
  minScore: z
    .number()
    .min(0)
    .max(0.9)
    .describe('What recognisers find counts from this score on; 0.4 is where a match alone says enough.'),
  keepKinds: list(z.enum(SPAN_KINDS)).describe(
    'Kinds that recognisers find and that are kept all the same; all others, also those of later versions, are cut.',
  ),
});

const orFree = '; with `recognizers` any text in which recognisers find nothing, without its numbers and addresses.';

/** The columns that may keep texts that nobody reviewed. */
export const FREE_COLUMNS = ['app', 'window', 'target'] as const;

const columnsRule = z.strictObject({
  subject: oneOf(['none', 'pseudonym'], "The person's pseudonym of the month, or nothing."),
  app: oneOf(['vocabulary', 'recognizers', 'none'], `The app, when the vocabulary holds it${orFree}`),
  window: oneOf(
    ['vocabulary', 'recognizers', 'none'],
    `The window title, segment by segment, when the vocabulary holds it${orFree}`,
  ),
  url: oneOf(['vocabulary', 'none'], 'Scheme, host and path template, when the vocabulary holds the host.'),
  target: oneOf(
    ['vocabulary', 'recognizers', 'none'],
    `The name of the element acted on, when the vocabulary holds it${orFree}`,
  ),
  target_role: oneOf(['known', 'none'], 'The role of the element, when the vocabulary holds it.'),
  key: oneOf(['listed', 'none'], 'Named keys and shortcuts, when this policy lists them.'),
  button: oneOf(['keep', 'none'], 'The pointer button.'),
  direction: oneOf(['keep', 'none'], 'The direction of a scroll.'),
  cell: oneOf(['3x3', 'none'], 'Where in the element the pointer was, as one of nine cells.'),
  pause: oneOf(
    ['coarse', 'none'],
    'How long the person waited before the action, in four buckets. Timing can re-identify people.',
  ),
  length: oneOf(['bucket', 'none'], 'How much was typed, in five buckets.'),
  count: oneOf(['bucket', 'none'], 'How often a key repeated or how far a scroll went, in five buckets.'),
});

/** The policy file, before its digest is taken. */
export const policySchema = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[a-z][a-z0-9-]{0,39}$/u,
        'is not a policy name: lower-case letters, digits and hyphens, at most 40, a letter first',
      )
      .describe('A short name: lower-case letters, digits and hyphens.'),
    description: line(1000).describe('For whom this policy is, in a sentence.'),
    vocabulary: vocabularyRule.describe('The reviewed list of texts that may be kept.'),
    consent: z
      .strictObject({
        guardSeconds: wholeNumber(0, 60).describe(
          'How far the clocks of trusted machines may differ: a session opened this long after a decision still counts as opened before.',
        ),
      })
      .describe('How decisions of the recorded person are applied.'),
    session: z
      .strictObject({
        maxMinutes: wholeNumber(1, 30).describe('How long one session may last, however often its pseudonym changes.'),
        maxActions: wholeNumber(1, 100_000).describe(
          'After so many released actions a session goes on under another pseudonym: how many there are in a given time tells who works fast.',
        ),
        latenessMinutes: wholeNumber(0, 60).describe('How long after its end a session may still be arriving.'),
      })
      .describe('What one session is.'),
    contexts: contextsRule.describe('Where nothing is recorded: the whole stay becomes one `away` action.'),
    keystrokes: keystrokesRule.describe('Which keys are not content.'),
    gestures: gesturesRule.describe('How pointer events become actions.'),
    text: textRule.describe('How texts are judged.'),
    columns: columnsRule.describe('What each column of the training table may hold.'),
  })
  .superRefine(({ text, columns }, context) => {
    const free = FREE_COLUMNS.filter((column) => columns[column] === 'recognizers');
    for (const column of text.mode === 'recognizers' ? [] : free) {
      context.addIssue({
        code: 'custom',
        path: ['columns', column],
        input: columns[column],
        message: 'keeps texts that nobody reviewed: state it with text.mode: recognizers, or write vocabulary',
      });
    }
    if (text.mode === 'recognizers' && free.length === 0) {
      context.addIssue({
        code: 'custom',
        path: ['text', 'mode'],
        input: text.mode,
        message: `is used by no column: write recognizers in columns.${FREE_COLUMNS.join(', columns.')} too, or vocabulary here`,
      });
    }
  });

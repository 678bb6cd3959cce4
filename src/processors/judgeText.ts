import type { Context, UiElement } from '../events/raw.ts';
import type { ReleasedAction } from '../events/released.ts';
import { createEchoMemory } from '../privacy/echoes.ts';
import { createFinder, FREE_TEXT_CHANGES } from '../privacy/free-text.ts';
import type { Policy } from '../privacy/policy.ts';
import { MAX_TEXT, type Part, type Placeholder } from '../privacy/public-text.ts';
import { toCodePoints, type Span } from '../privacy/recognizers/index.ts';
import { createTypedLetters } from '../privacy/typed-letters.ts';
import type { Vocabulary } from '../privacy/vocabulary.ts';
import { preparePolicy } from './pipeline.ts';
import { createTextRedactor } from './redactText.ts';
import { createActionCheck } from './release.ts';

/** Where a text can stand in a recording. */
export const TEXT_FIELDS = ['window', 'target', 'app', 'url', 'value', 'clipboard'] as const;
export type TextField = (typeof TEXT_FIELDS)[number];

/** Why a part of a text, or all of it, is not released. */
export const TEXT_REASONS = [
  'excluded_context',
  'never_released',
  'column_off',
  'not_an_address',
  'not_in_vocabulary',
  'too_many_parts',
  ...FREE_TEXT_CHANGES,
  'refused',
] as const;
export type TextReason = (typeof TEXT_REASONS)[number];

export interface TextSample {
  readonly field: TextField;
  readonly text: string;
  /** Where it stands, as far as that is known. */
  readonly context?: Context | undefined;
}

export interface JudgedText {
  /** What would be released; null for nothing. */
  readonly released: string | null;
  /** Why it is not the text itself; each once, in the order of {@link TEXT_REASONS}. */
  readonly reasons: readonly TextReason[];
  /** What recognisers find in the text and the policy counts, in code points. */
  readonly spans: readonly Span[];
}

export interface TextJudge {
  release(sample: TextSample): string | null;
  explain(sample: TextSample): JudgedText;
}

/**
 * Judges single texts as a pipeline under this policy does in a session where nothing was typed: with its context rule, its
 * text processor and the last gate. A text of `window`, `app` or `url` is a part of its context: a title that the policy
 * excludes is not released.
 */
export function createTextJudge(policy: Policy, vocabulary: Vocabulary): TextJudge {
  const prepared = preparePolicy(policy, vocabulary);
  const { isExcluded, publicText, freeTexts } = prepared;
  const find = createFinder(policy.text);
  const isAllowed = createActionCheck(policy, vocabulary);
  const redact = createTextRedactor({
    policy: policy.columns,
    publicText,
    freeTexts,
    vocabulary,
    echoes: createEchoMemory(vocabulary, createTypedLetters(prepared.echoKey)),
  });

  function isInExcluded({ field, text, context }: TextSample): boolean {
    const place = context ?? NOWHERE;
    return isExcluded(place) || (field in PART_OF_CONTEXT && isExcluded(placeOf(place, field, text)));
  }
  function shown({ field, text, context }: TextSample): string | null {
    if (!isReleasable(field)) return null;
    return redact(placeOf(context ?? NOWHERE, field, text), { ...ELEMENT, name: text }, 0)[field];
  }
  function gated(field: TextField, text: string | null): string | null {
    return text !== null && isReleasable(field) && isAllowed({ ...ACTION, [field]: text }) ? text : null;
  }

  function reasonsOf(sample: TextSample): TextReason[] {
    const { field, text } = sample;
    if (isInExcluded(sample)) return ['excluded_context'];
    if (!isReleasable(field)) return ['never_released'];
    if (policy.columns[field] === 'none') return ['column_off'];
    if (text === '') return [];
    if (policy.columns[field] === 'recognizers') return [...freeTexts.keep(text).changes];
    if (field === 'url') {
      const url = publicText.url(text);
      return url === null ? ['not_an_address'] : [url.host, ...url.path].flatMap(reasonsOfPart);
    }
    if (text.length > MAX_TEXT) return ['too_long'];
    const parts = field === 'app' ? [publicText.app(text)] : publicText.parts(text);
    return parts.flatMap((part) => (part === null ? [] : reasonsOfPart(part)));
  }

  const release = (sample: TextSample): string | null =>
    isInExcluded(sample) ? null : gated(sample.field, shown(sample));
  return {
    release,
    explain(sample) {
      const released = release(sample);
      const reasons = new Set(reasonsOf(sample));
      if (released === null && shown(sample) !== null && !isInExcluded(sample)) reasons.add('refused');
      return {
        released,
        reasons: TEXT_REASONS.filter((reason) => reasons.has(reason)),
        spans: toCodePoints(sample.text, find(sample.text)),
      };
    },
  };
}

const NOWHERE: Context = { app: '', title: '', url: '', private: false };
const ELEMENT: UiElement = { role: '', name: '', value: '', secure: false, bounds: null };

/** Fields that are a part of their context. */
const PART_OF_CONTEXT = { window: 'title', app: 'app', url: 'url' } as const;

const isReleasable = (field: TextField): field is 'window' | 'target' | 'app' | 'url' =>
  field !== 'value' && field !== 'clipboard';

function placeOf(context: Context, field: TextField, text: string): Context {
  return field === 'window' || field === 'app' || field === 'url'
    ? { ...context, [PART_OF_CONTEXT[field]]: text }
    : context;
}

const ACTION: ReleasedAction = {
  step: 0,
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

function reasonsOfPart(part: Part): TextReason[] {
  if (!('placeholder' in part)) return part.entry.text.includes('{n}') ? ['digits'] : [];
  return [REASON_OF.get(part.placeholder) ?? 'recognized'];
}

const REASON_OF: ReadonlyMap<Placeholder, TextReason> = new Map<Placeholder, TextReason>([
  ['{text}', 'not_in_vocabulary'],
  ['{file}', 'not_in_vocabulary'],
  ['{host}', 'not_in_vocabulary'],
  ['{part}', 'not_in_vocabulary'],
  ['{more}', 'too_many_parts'],
  ['{n}', 'digits'],
]);

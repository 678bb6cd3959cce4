import { keep, quarantine, type Outcome, type Processor } from '../events/outcome.ts';
import {
  ACTIONS,
  AMOUNTS,
  CELLS,
  DIRECTIONS,
  MAX_RELEASED_TEXT,
  PAUSES,
  RELEASED_BUTTONS,
  TABLE_SCHEMA_VERSION,
  type ReleasedAction,
  type ReleasedBatch,
  type ReleasedFields,
} from '../events/released.ts';
import { isTooLarge } from '../events/released-size.ts';
import { BoundedCache } from '../privacy/bounded-cache.ts';
import { createFinder, createFreeTexts } from '../privacy/free-text.ts';
import type { Policy } from '../privacy/policy.ts';
import { createTemplateCheck, PLACEHOLDERS } from '../privacy/public-text.ts';
import { normaliseSegment } from '../privacy/text.ts';
import type { Vocabulary } from '../privacy/vocabulary.ts';
import type { PseudonymousBatch } from './pseudonymise.ts';

/** Released, with the counts that belong to it. */
export interface Release {
  readonly batch: ReleasedBatch;
  readonly dropped: PseudonymousBatch['dropped'];
  readonly events: number;
}

/**
 * The last gate, and the only maker of {@link ReleasedBatch}: every field is checked against an allow-list of its own,
 * whatever the processors before it did. Texts must be vocabulary entries or placeholders, or, where the policy keeps free texts,
 * such that nothing more is recognised in them; keys must be on the policy's lists, columns that the policy releases nothing of must be empty. One bad field and nothing of the batch is released;
 * nor is anything of one that has become larger than what topics take.
 */
export function release(tools: {
  readonly policy: Policy;
  readonly vocabulary: Vocabulary;
}): Processor<PseudonymousBatch, Release> {
  const isAllowed = createActionCheck(tools.policy, tools.vocabulary);
  return (batch) => {
    const { fields } = batch;
    if (isTooLarge(fields)) return quarantine('limit_exceeded');
    if (!isHeadAllowed(fields, tools.policy)) return quarantine('release_refused');
    let step = fields.actions[0]?.step ?? 0;
    for (const action of fields.actions) {
      if (action.step !== step++ || !isAllowed(action)) return quarantine('release_refused');
    }
    return keep({ batch: mint(fields), dropped: batch.dropped, events: batch.events });
  };
}

/** The brand is a promise that the checks above have been made; no other module may make this cast. */
const mint = (fields: ReleasedFields): ReleasedBatch => fields as ReleasedBatch;

/**
 * Takes a batch back from the sanitised topic, where only `release` puts one: shape and closed sets are checked again, so
 * that a foreign or damaged record cannot reach a sink. Texts cannot be judged without the policy that released them.
 */
export function readmit(fields: ReleasedFields): Outcome<ReleasedBatch> {
  const isRight =
    hasOnly(fields, HEAD_FIELDS) &&
    PSEUDONYM.test(fields.session) &&
    (fields.subject === null || PSEUDONYM.test(fields.subject)) &&
    fields.schema === TABLE_SCHEMA_VERSION &&
    fields.actions.every((action, i) => isShaped(action) && action.step === (fields.actions[0]?.step ?? 0) + i);
  return isRight ? keep(mint(fields)) : quarantine('release_refused');
}

// Types promise it; the gate looks all the same.
const isString = (value: unknown): value is string => typeof value === 'string';
const isOneOf = (value: string | null, values: readonly string[]): boolean => value === null || values.includes(value);

/** Every value is from its closed set, whatever the policy. */
function isShaped(action: ReleasedAction): boolean {
  return (
    Number.isSafeInteger(action.step) &&
    action.step >= 0 &&
    action.step <= MAX_STEP &&
    hasOnly(action, ACTION_FIELDS) &&
    TEXT_FIELDS.every((field) => (action[field]?.length ?? 0) <= MAX_RELEASED_TEXT) &&
    isOneOf(action.action, ACTIONS) &&
    isOneOf(action.button, RELEASED_BUTTONS) &&
    isOneOf(action.direction, DIRECTIONS) &&
    isOneOf(action.cell, CELLS) &&
    isOneOf(action.pause, PAUSES) &&
    isOneOf(action.length, AMOUNTS) &&
    isOneOf(action.count, AMOUNTS) &&
    (action.action === 'type' || action.length === null) &&
    (action.action === 'press' || action.action === 'shortcut' || action.key === null) &&
    (action.action !== 'away' || SAID_OF_AWAY.every((field) => action[field] === null))
  );
}

/** A field that nobody knows would otherwise ride along into every sink that writes whole objects. */
function hasOnly(record: object, fields: ReadonlySet<string>): boolean {
  for (const field in record) if (!fields.has(field)) return false;
  return true;
}

const TEXT_FIELDS = [
  'app',
  'window',
  'url',
  'target_role',
  'target',
  'key',
] as const satisfies (keyof ReleasedAction)[];
const SET_FIELDS = [
  'button',
  'direction',
  'cell',
  'pause',
  'length',
  'count',
] as const satisfies (keyof ReleasedAction)[];
const ACTION_FIELDS: ReadonlySet<string> = new Set(['step', 'action', ...TEXT_FIELDS, ...SET_FIELDS]);
const HEAD_FIELDS: ReadonlySet<string> = new Set(['session', 'subject', 'day', 'policy', 'schema', 'actions']);
/** Of a stay in a private place nothing is said but that it was. */
const SAID_OF_AWAY = [...TEXT_FIELDS, 'button', 'direction', 'cell', 'length', 'count'] as const;

const PSEUDONYM = /^[0-9a-f]{32}$/u;
const MAX_STEP = 10_000_000;

function isHeadAllowed(fields: ReleasedFields, policy: Policy): boolean {
  const subjectIsRight =
    policy.columns.subject === 'pseudonym'
      ? fields.subject !== null && PSEUDONYM.test(fields.subject)
      : fields.subject === null;
  return (
    hasOnly(fields, HEAD_FIELDS) &&
    PSEUDONYM.test(fields.session) &&
    subjectIsRight &&
    Number.isSafeInteger(fields.day) &&
    fields.policy === policy.digest &&
    fields.schema === TABLE_SCHEMA_VERSION
  );
}

/** Texts that have been judged, and how; none that may be released is too long for it. */
const createVerdicts = (): BoundedCache<{ readonly ok: boolean }> => new BoundedCache(20_000, MAX_RELEASED_TEXT);

/** Whether a policy lets all fields of an action leave. */
export function createActionCheck(policy: Policy, vocabulary: Vocabulary): (action: ReleasedAction) => boolean {
  const { columns } = policy;
  const keys = new Set(policy.keystrokes.namedKeys);
  const shortcuts = new Set(policy.keystrokes.shortcuts);
  const placeholders = new Set<string>(PLACEHOLDERS);
  const reviewed = createVerdicts();
  const free = createVerdicts();
  const urls = createVerdicts();

  const isEntry = (text: string): boolean =>
    placeholders.has(text) ||
    vocabulary.find(normaliseSegment(text))?.text === text ||
    vocabulary.findApp(text)?.text === text;
  const isText = (text: string | null): boolean =>
    text === null ||
    (isString(text) &&
      reviewed.get(text, (t) => ({ ok: isEntry(t) || t.split(' - ').every(isEntry) || isSplitEntry(t) })).ok);
  // An entry may hold the separator itself: try every way to put neighbouring pieces together again.
  const isSplitEntry = (text: string): boolean => {
    const pieces = text.split(' - ');
    const reachable = [true];
    for (let end = 1; end <= pieces.length; end++) {
      reachable[end] = pieces.some((_, start) => {
        return start < end && reachable[start] === true && isEntry(pieces.slice(start, end).join(' - '));
      });
    }
    return reachable[pieces.length] === true;
  };
  const isTemplate = createTemplateCheck(vocabulary);
  const isUrl = (url: string | null): boolean =>
    url === null || (isString(url) && urls.get(url, (u) => ({ ok: isTemplate(u) })).ok);
  const freeTexts = createFreeTexts(createFinder(policy.text), { template: () => null, isTemplate });
  /** Looked at once more, by recognisers of its own; and under no policy but one that says that such texts are kept. */
  const isFree = (text: string | null): boolean =>
    text === null ||
    (policy.text.mode === 'recognizers' && isString(text) && free.get(text, (t) => ({ ok: freeTexts.isClean(t) })).ok);
  const isTextBy = (rule: Policy['columns']['window'], text: string | null): boolean => {
    switch (rule) {
      case 'none':
        return text === null;
      case 'vocabulary':
        return isText(text);
      case 'recognizers':
        return isFree(text);
    }
  };
  const isKey = ({ action, key }: ReleasedAction): boolean => {
    if (columns.key === 'none' || (action !== 'press' && action !== 'shortcut')) return key === null;
    return key !== null && (action === 'press' ? keys : shortcuts).has(key);
  };
  const only = (rule: string, value: string | null): boolean => rule !== 'none' || value === null;

  return (action) =>
    isShaped(action) &&
    isTextBy(columns.app, action.app) &&
    isTextBy(columns.window, action.window) &&
    only(columns.url, action.url) &&
    isUrl(action.url) &&
    isTextBy(columns.target, action.target) &&
    only(columns.target_role, action.target_role) &&
    (action.target_role === null || vocabulary.findRole(action.target_role)?.text === action.target_role) &&
    isKey(action) &&
    only(columns.button, action.button) &&
    only(columns.direction, action.direction) &&
    only(columns.cell, action.cell) &&
    only(columns.pause, action.pause) &&
    only(columns.length, action.length) &&
    only(columns.count, action.count);
}

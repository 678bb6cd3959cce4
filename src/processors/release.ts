import { keep, quarantine, type Processor } from '../events/outcome.ts';
import {
  ACTIONS,
  AMOUNTS,
  CELLS,
  DIRECTIONS,
  PAUSES,
  RELEASED_BUTTONS,
  TABLE_SCHEMA_VERSION,
  type ReleasedAction,
  type ReleasedBatch,
  type ReleasedFields,
} from '../events/released.ts';
import { BoundedCache } from '../privacy/bounded-cache.ts';
import type { Policy } from '../privacy/policy.ts';
import { PLACEHOLDERS } from '../privacy/public-text.ts';
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
 * whatever the processors before it did. Texts must be vocabulary entries or placeholders, keys must be on the policy's
 * lists, columns that the policy releases nothing of must be empty. One bad field and nothing of the batch is released.
 */
export function release(tools: {
  readonly policy: Policy;
  readonly vocabulary: Vocabulary;
}): Processor<PseudonymousBatch, Release> {
  const isAllowed = createActionCheck(tools.policy, tools.vocabulary);
  return (batch) => {
    const { fields } = batch;
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

const PSEUDONYM = /^[0-9a-f]{32}$/u;
const MAX_STEP = 10_000_000;

function isHeadAllowed(fields: ReleasedFields, policy: Policy): boolean {
  const subjectIsRight =
    policy.columns.subject === 'pseudonym'
      ? fields.subject !== null && PSEUDONYM.test(fields.subject)
      : fields.subject === null;
  return (
    PSEUDONYM.test(fields.session) &&
    subjectIsRight &&
    Number.isSafeInteger(fields.day) &&
    fields.policy === policy.digest &&
    fields.schema === TABLE_SCHEMA_VERSION
  );
}

function createActionCheck(policy: Policy, vocabulary: Vocabulary): (action: ReleasedAction) => boolean {
  const { columns } = policy;
  const keys = new Set(policy.keystrokes.namedKeys);
  const shortcuts = new Set(policy.keystrokes.shortcuts);
  const placeholders = new Set<string>(PLACEHOLDERS);
  const verdicts = new BoundedCache<{ readonly ok: boolean }>(20_000);

  const isEntry = (text: string): boolean =>
    placeholders.has(text) ||
    vocabulary.find(normaliseSegment(text))?.text === text ||
    vocabulary.findApp(text)?.text === text;
  const isText = (text: string | null): boolean =>
    text === null ||
    verdicts.get(text, (t) => ({ ok: isEntry(t) || t.split(' - ').every(isEntry) || isSplitEntry(t) })).ok;
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
  const isUrl = (url: string | null): boolean =>
    url === null ||
    verdicts.get(`url ${url}`, () => {
      const match = /^https?:\/\/([^/]+)((?:\/[^/]+)*)$/u.exec(url);
      const [host, path] = [match?.[1], match?.[2]];
      if (host === undefined || path === undefined) return { ok: false };
      const hostIsRight = placeholders.has(host) || vocabulary.findHost(host)?.text === host;
      const names = path.split('/').slice(1);
      return {
        ok:
          hostIsRight &&
          names.every((name) => placeholders.has(name) || vocabulary.findPathSegment(name)?.text === name),
      };
    }).ok;
  const isOneOf = (value: string | null, values: readonly string[]): boolean =>
    value === null || values.includes(value);
  const isKey = ({ action, key }: ReleasedAction): boolean => {
    if (action === 'press') return columns.key === 'none' ? key === null : key !== null && keys.has(key);
    if (action === 'shortcut') return columns.key === 'none' ? key === null : key !== null && shortcuts.has(key);
    return key === null;
  };
  const only = (rule: string, value: string | null): boolean => rule !== 'none' || value === null;

  return (action) =>
    Number.isSafeInteger(action.step) &&
    action.step >= 0 &&
    action.step <= MAX_STEP &&
    isOneOf(action.action, ACTIONS) &&
    only(columns.app, action.app) &&
    isText(action.app) &&
    only(columns.window, action.window) &&
    isText(action.window) &&
    only(columns.url, action.url) &&
    isUrl(action.url) &&
    only(columns.target, action.target) &&
    isText(action.target) &&
    only(columns.target_role, action.target_role) &&
    (action.target_role === null || vocabulary.findRole(action.target_role)?.text === action.target_role) &&
    isKey(action) &&
    only(columns.button, action.button) &&
    isOneOf(action.button, RELEASED_BUTTONS) &&
    only(columns.direction, action.direction) &&
    isOneOf(action.direction, DIRECTIONS) &&
    only(columns.cell, action.cell) &&
    isOneOf(action.cell, CELLS) &&
    only(columns.pause, action.pause) &&
    isOneOf(action.pause, PAUSES) &&
    only(columns.length, action.length) &&
    (action.action === 'type' || action.length === null) &&
    isOneOf(action.length, AMOUNTS) &&
    only(columns.count, action.count) &&
    isOneOf(action.count, AMOUNTS);
}

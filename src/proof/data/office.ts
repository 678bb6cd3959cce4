import { setImmediate } from 'node:timers/promises';
import type { ReleasedAction } from '../../events/released.ts';
import { createEchoMemory } from '../../privacy/echoes.ts';
import { createPublicText, type Part, type PublicText } from '../../privacy/public-text.ts';
import { normaliseSegment, splitSegments } from '../../privacy/text.ts';
import { vocabularyOf } from '../../privacy/vocabulary-file.ts';
import { amountOf } from '../../processors/amounts.ts';
import { redactKeystrokes } from '../../processors/redactKeystrokes.ts';
import { reduceToActions } from '../../processors/reduceToActions.ts';
import type { RawAction, VisibleBatch } from '../../processors/stages.ts';
import type { Captured } from '../../producers/captured.ts';
import { simulate } from '../../producers/simulator/index.ts';
import { createLine, LINE_START, type Line, type Released } from '../line.ts';
import { tableBag, type Bag } from '../models/released-features.ts';
import type { PolicyUnderTest } from '../policies.ts';
import { recordOf, type Attributes } from '../models/attributes.ts';

/** One session of a made-up office worker, as it was recorded and as each policy released it. */
export interface OfficeSession {
  readonly raw: SessionView;
  /** What {@link raw} looks like to somebody who knows all of it, in the words of the vocabulary. */
  readonly known: Attributes;
  /** In the policies' order. */
  readonly released: readonly SessionView[];
}

/** What an attacker makes of a session's actions; the actions themselves are not kept, to keep memory small. */
export interface SessionView {
  readonly bag: Bag;
  readonly attributes: Attributes;
  /** Actions as {@link tokenOf} names them, in order. */
  readonly tokens: readonly string[];
  /** The pseudonym of the person, where the policy releases one. */
  readonly subject: string | null;
}

export interface OfficeWorker {
  readonly sessions: readonly OfficeSession[];
  /** Segments of all titles and labels that were on this person's screen, normalised. */
  readonly texts: ReadonlySet<string>;
}

/** Makes the office on first use, and gives the same one afterwards. */
export type OfficeSource = () => Promise<readonly OfficeWorker[]>;

export interface OfficeOptions {
  readonly policies: readonly PolicyUnderTest[];
  readonly seed: number;
  readonly quick: boolean;
  readonly tell: (what: string) => Promise<void>;
}

/** Shorter stretches say little, and are what is left at the end of the simulation. */
const SHORTEST_SESSION = 30;

export function officeSource(options: OfficeOptions): OfficeSource {
  let office: Promise<readonly OfficeWorker[]> | undefined;
  return () => (office ??= makeOffice(options));
}

async function makeOffice({ policies, seed, quick, tell }: OfficeOptions): Promise<readonly OfficeWorker[]> {
  const people = quick ? 40 : 100;
  await tell(`${people} made-up office workers`);
  const line = await createLine(policies);
  const publicText = createPublicText(policies[0]?.vocabulary ?? vocabularyOf('', 'no vocabulary'));
  const workers = new Map<string, { sessions: OfficeSession[]; texts: Set<string> }>();
  const open = new Map<string, Captured[]>();
  const stream = simulate({
    people,
    minutes: 60,
    seed,
    start: LINE_START,
    faults: 'none',
    consent: 'all_enrolled',
    subjectKey: line.subjectKey,
  });
  const finish = (batches: readonly Captured[]): void => {
    const key = batches[0]?.key ?? '';
    const worker = workers.get(key) ?? { sessions: [], texts: new Set<string>() };
    workers.set(key, worker);
    for (const { payload } of batches) addTexts(worker.texts, payload);
    const session = viewSession(line, policies, batches, publicText);
    if (session.raw.tokens.length >= SHORTEST_SESSION) worker.sessions.push(session);
  };
  let records = 0;
  for (const record of stream) {
    // It takes a while: signals must be heard meanwhile.
    if ((records += 1) % 1_000 === 0) await setImmediate();
    if (record.kind !== 'capture') continue;
    const { session } = record.record.envelope;
    const batches = open.get(session) ?? [];
    open.set(session, batches);
    batches.push(withoutMoves(record.record));
    if (!record.record.payload.events.some(({ kind }) => kind === 'session_end')) continue;
    open.delete(session);
    finish(batches);
  }
  for (const batches of open.values()) finish(batches);
  return [...workers.values()];
}

/** Movements are most of all events and in no released column; the pointer attack is about them. */
function withoutMoves(captured: Captured): Captured {
  const events = captured.payload.events.filter(({ kind }) => kind !== 'pointer_move');
  return { ...captured, payload: { ...captured.payload, events } };
}

function viewSession(
  line: Line,
  policies: readonly PolicyUnderTest[],
  batches: readonly Captured[],
  publicText: PublicText,
): OfficeSession {
  const actions = rawActions(batches, policies);
  const raw = viewOf({ actions, batches: [], gaps: [] }, null);
  const known = recordOf(actions.map((action) => inPublicWords(action, publicText)));
  return { raw, known, released: line.capture(batches).map((one) => viewOf(one, one.batches[0]?.subject ?? null)) };
}

function viewOf(released: Released, subject: string | null): SessionView {
  const { actions } = released;
  return { bag: tableBag(released), attributes: recordOf(actions), tokens: actions.map(tokenOf), subject };
}

/** An action as a model of behaviour sees it: its kind, then every column that is not free text. */
export const tokenOf = (row: ReleasedAction): string => {
  const { action, key, app, target_role, length, count, direction, button, cell, pause } = row;
  return intern([action, key, app, target_role, length, count, direction, button, cell, pause].join('|'));
};

/** How much of a token a model may look at: all; all but cell and pause; kind, key, app and role alone. */
export const TOKEN_PARTS = [10, 8, 4] as const;
export const partOf = (token: string, parts: number): string => token.split('|', parts).join('|');

/** A session has few different tokens: each is held once. */
const interned = new Map<string, string>();
function intern(token: string): string {
  const known = interned.get(token);
  if (known !== undefined) return known;
  if (interned.size < 200_000) interned.set(token, token);
  return token;
}

/**
 * The actions that the reducer makes of raw events when nothing private is taken out: private places and all texts stay. The
 * columns are those of the table, so that raw and released can be attacked, and used, in the same way.
 */
export function rawActions(batches: readonly Captured[], policies: readonly PolicyUnderTest[]): ReleasedAction[] {
  const under = policies[0];
  if (under === undefined) return [];
  const { policy, vocabulary } = under;
  const redactor = redactKeystrokes({ policy: policy.keystrokes, echoes: createEchoMemory(vocabulary) });
  const reducer = reduceToActions({ policy: policy.gestures });
  const actions: ReleasedAction[] = [];
  for (const { key, envelope, payload } of batches) {
    const batch: VisibleBatch = { ...payload, ...envelope, key, dropped: {} };
    const keyless = redactor.process(batch);
    const reduced = keyless.kind === 'keep' ? reducer.process(keyless.batch) : keyless;
    if (reduced.kind === 'keep')
      for (const action of reduced.batch.actions) actions.push(asRow(action, actions.length));
  }
  return actions;
}

function asRow(action: RawAction, step: number): ReleasedAction {
  const { context, element } = action;
  return {
    step,
    action: action.action,
    app: context?.app ?? null,
    window: context?.title ?? null,
    url: context?.url ?? null,
    target_role: element?.role ?? null,
    target: element?.name ?? null,
    key: action.key,
    button: action.button === 'back' || action.button === 'forward' ? 'other' : action.button,
    direction: action.direction,
    cell: null,
    pause: null,
    length: action.length,
    count: action.times > 1 ? amountOf(action.times) : null,
  };
}

/** App and window as the vocabulary calls them; of roles the table has the recorder's own. */
function inPublicWords(action: ReleasedAction, publicText: PublicText): ReleasedAction {
  const shown = (part: Part | null): string | null =>
    part === null ? null : 'entry' in part ? part.entry.text : part.placeholder;
  const window = publicText
    .parts(action.window ?? '')
    .map(shown)
    .join(' - ');
  return { ...action, app: shown(publicText.app(action.app ?? '')), window: window === '' ? null : window };
}

function addTexts(texts: Set<string>, payload: Captured['payload']): void {
  const all = [...payload.contexts.map(({ title }) => title), ...payload.elements.map(({ name }) => name)];
  for (const text of all) for (const segment of splitSegments(text)) texts.add(normaliseSegment(segment));
}

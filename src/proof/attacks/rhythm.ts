import type { Attack } from '../attack.ts';
import { needFolder } from '../data/tables.ts';
import { loadTypists, type Sentence, type Typist } from '../data/typing.ts';
import { createLine, type Recording, type RecordingLine } from '../line.ts';
import { mean, quantile } from '../statistics/intervals.ts';
import { AT_CHANCE, LOW_AUC, recognise } from './identification.ts';

/** Sentences in one recording; fifteen of a person make five recordings. */
export const SENTENCES_A_RECORDING = 3;

/** Time between two sentences, ms: the data do not say it, so it is the same for everybody. */
const BETWEEN = 2_000;

/** Some sentences typed into one document, each ended with Enter, as a recorder would write it. */
export function typingRecording(subject: string, sentences: readonly Sentence[]): Recording {
  const lines: RecordingLine[] = [
    {
      at: 0,
      kind: 'focus',
      context: { app: 'Notepad', title: 'Untitled - Notepad' },
      element: { role: 'textbox', name: 'Text editor' },
    },
  ];
  let start = 1_000;
  for (const { strokes } of sentences) {
    const events = strokes.flatMap(({ press, release, key }) => [
      { at: start + press, kind: 'key_down', key },
      { at: start + release, kind: 'key_up', key },
    ]);
    // A key may be released after the next is pressed: events go in order of time, presses before releases.
    lines.push(...events.toSorted((a, b) => a.at - b.at));
    start = Math.max(start, ...events.map(({ at }) => at)) + 300;
    lines.push({ at: start, kind: 'key_down', key: 'Enter' }, { at: start + 80, kind: 'key_up', key: 'Enter' });
    start += BETWEEN;
  }
  return { subject, lines };
}

const SHARES = [0.05, 0.15, 0.25, 0.35, 0.5, 0.65, 0.75, 0.85, 0.95];

/**
 * The rhythm with every key redacted: how long keys are held, from press to press, from release to press, over one to three
 * keys, each by quantiles of its logarithm; and how often keys overlap. Free text needs no more (Dhakal and others, 2018, on
 * what tells typists apart; Acien, Morales, Monaco, Vera-Rodriguez and Fierrez, "TypeNet", 2021, for the same task).
 */
export function rhythmOf(sentences: readonly Sentence[]): Float64Array {
  const held: number[] = [];
  const steps: number[][] = [[], [], []];
  const flights: number[] = [];
  let [overlaps, pairs] = [0, 0];
  const ratios: number[] = [];
  for (const { strokes } of sentences) {
    for (const [i, stroke] of strokes.entries()) {
      held.push(log(stroke.release - stroke.press));
      for (const [n, list] of steps.entries()) {
        const earlier = strokes[i - n - 1];
        if (earlier !== undefined) list.push(log(stroke.press - earlier.press));
      }
      const before = strokes[i - 1];
      if (before === undefined) continue;
      const flight = stroke.press - before.release;
      flights.push(Math.sign(flight) * log(Math.abs(flight)));
      ratios.push(log(stroke.release - stroke.press) - log(stroke.press - before.press));
      pairs += 1;
      if (flight < 0) overlaps += 1;
    }
  }
  const lists = [held, ...steps, flights, ratios];
  const values = lists.flatMap((list) => [
    ...SHARES.map((share) => quantile(list, share)),
    mean(list),
    Math.sqrt(mean(list.map((value) => (value - mean(list)) ** 2))),
  ]);
  return Float64Array.from([...values, overlaps / Math.max(1, pairs)], (value) => (Number.isFinite(value) ? value : 0));
}

const log = (ms: number): number => Math.log(Math.max(1, ms + 1));

/** A person's sentences, a recording's worth at a time. */
export function recordingsOf({ sentences }: Typist): Sentence[][] {
  const parts: Sentence[][] = [];
  for (let i = 0; i + SENTENCES_A_RECORDING <= sentences.length; i += SENTENCES_A_RECORDING) {
    parts.push(sentences.slice(i, i + SENTENCES_A_RECORDING));
  }
  return parts;
}

/** Recordings that a person is enrolled with; the others are probes. */
const ENROLLED = 3;
const QUICK_PEOPLE = 120;

export const rhythm: Attack = {
  name: 'rhythm',
  asks: 'Is a person known again by how they type?',
  source: 'Killourhy & Maxion 2009; Acien et al. 2021',
  targets: [AT_CHANCE, LOW_AUC],
  headline: 'top-1',
  floor: 0.5,
  async run(context) {
    await context.tell('rhythm: through the line');
    const typists = await loadTypists(needFolder(context), context.quick ? QUICK_PEOPLE : Infinity);
    const people = typists.map((typist) => ({ user: typist.user, parts: recordingsOf(typist) }));
    const line = await createLine(context.policies);
    const released = people.map(({ user, parts }) => parts.map((part) => line.record(typingRecording(user, part))));
    const halves = <T>(list: readonly T[]): { enrol: T[]; probe: T[] } => ({
      enrol: list.slice(0, ENROLLED),
      probe: list.slice(ENROLLED),
    });
    const raw = people.map(({ parts }) => halves(parts.map(rhythmOf)));
    return recognise(context, 'rhythm', raw, (policy) =>
      released.map((parts) => halves(parts.flatMap((part) => part.slice(policy, policy + 1)))),
    );
  },
};

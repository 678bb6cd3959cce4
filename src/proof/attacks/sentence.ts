import { Random } from '../../producers/simulator/random.ts';
import { amountOf } from '../../processors/amounts.ts';
import type { Attack, Form, ReleasedForms } from '../attack.ts';
import { needFolder } from '../data/tables.ts';
import { loadTypists, textOf, type Sentence } from '../data/typing.ts';
import { createLine, type Released } from '../line.ts';
import type { Measure } from '../measure.ts';
import { bootstrap, mean, shuffled } from '../statistics/intervals.ts';
import { topOne } from '../statistics/measures.ts';
import { learnTimings, strokesOf } from '../models/timings.ts';
import { roundsOf } from './identification.ts';
import { typingRecording } from './rhythm.ts';

/** Sentences that the right one is among, itself counted. */
const CANDIDATES = 10;
const QUICK_PEOPLE = 120;

/** A sentence as one person typed it. */
interface Typing {
  readonly person: number;
  readonly id: string;
  readonly sentence: Sentence;
  readonly text: string;
}

/** A typing, what the right answer may be, and where it stands among them. */
interface Question {
  readonly typing: Typing;
  readonly candidates: readonly string[];
  readonly right: number;
}

/** Scores of a question's candidates. */
type Guess = (question: Question) => readonly number[];

/**
 * Which of ten sentences was typed? The others have a text of the same length bucket, or of the very same length. What the
 * sentences are is known from other people who typed them; how they are typed is learned from people who are not asked about.
 */
export const sentence: Attack = {
  name: 'sentence',
  asks: 'Does it come out which sentence was typed?',
  source: 'Song, Wagner & Tian 2001 on timing; kernel estimate on what is released',
  targets: [
    {
      measure: 'top-1',
      says: 'top-1 at most 1.2 times chance',
      isMet: ({ value, chance }) => value <= 1.2 * chance,
    },
  ],
  headline: 'top-1',
  floor: 0.8,
  async run(context) {
    await context.tell('sentence: through the line');
    const typists = await loadTypists(needFolder(context), context.quick ? QUICK_PEOPLE : Infinity);
    const typings = typists.flatMap(({ sentences }, person) =>
      sentences.map((one): Typing => ({ person, id: one.id, sentence: one, text: textOf(one.strokes) })),
    );
    const line = await createLine(context.policies);
    const recorded = new Map(
      typings.map((typing) => [typing, line.record(typingRecording(`person ${typing.person}`, [typing.sentence]))]),
    );
    const rounds = roundsOf(context);
    const seeded = (...words: readonly string[]): Random => new Random(context.seed, 'sentence', ...words);

    /** Both halves of the people in turn, so that nobody who is asked about was learned from. */
    const ask = (
      form: string,
      alike: Alike,
      guesses: (background: readonly Typing[]) => readonly NamedGuess[],
    ): Form => {
      const people = shuffled([...new Set(typings.map(({ person }) => person))], seeded('people'));
      const first = new Set(people.slice(0, Math.floor(people.length / 2)));
      const answered = [first, new Set(people.filter((person) => !first.has(person)))].flatMap((background) => {
        const known = typings.filter(({ person }) => background.has(person));
        const asked = typings.filter(({ person }) => !background.has(person));
        const questions = questionsOf(asked, typings, alike, seeded('candidates'));
        return guesses(known).map(({ by, guess }) => ({
          by,
          answers: questions.map((question) => answer(question, guess)),
        }));
      });
      return { name: form, measures: [strongest(answered, rounds, seeded(form))] };
    };

    const withKeys = (): readonly NamedGuess[] => [
      { by: 'the keys', guess: ({ typing, candidates }) => candidates.map((text) => -distance(typing.text, text)) },
    ];
    const mixed = shuffled(typings, seeded('shuffle'));
    const other = new Map(typings.map((typing, i) => [typing, mixed[i] ?? typing]));
    const withOthersKeys = (): readonly NamedGuess[] => [
      {
        by: 'the keys',
        guess: ({ typing, candidates }) => candidates.map((text) => -distance(other.get(typing)?.text ?? '', text)),
      },
    ];
    const released: ReleasedForms[] = [];
    for (const [i, { name }] of context.policies.entries()) {
      await context.tell(`sentence: ${name}`);
      const traces = (of: (one: Released) => string) => (background: readonly Typing[]) =>
        NARROWNESS.map((narrowness) =>
          byTraces(background, narrowness, (typing) => of(recorded.get(typing)?.[i] ?? NOTHING)),
        );
      const forms: Form[] = [ask('table, same bucket', sameBucket, traces(tableTrace))];
      if (i === 0) {
        const topic = ask('sanitised topic, same bucket', sameBucket, traces(topicTrace));
        forms.push(ask('table, same length', sameLength, traces(tableTrace)), { ...topic, isAside: true });
      }
      released.push({ policy: name, forms });
    }
    return {
      raw: [
        ask('raw', sameLength, withKeys),
        ask('raw, rhythm alone', sameStrokes, (background) => [byTiming(background)]),
      ],
      control: ask('shuffled', sameLength, withOthersKeys),
      released,
    };
  },
};

const NOTHING: Released = { actions: [], batches: [], gaps: [] };

// --- questions ---

/** Whether a text may stand beside the right one. */
type Alike = (text: string, right: string, typing: Typing) => boolean;

const bucket = (text: string): string => amountOf(Array.from(text).length);
const sameBucket: Alike = (text, right) => bucket(text) === bucket(right);
const sameLength: Alike = (text, right) => text.length === right.length;
/** As many keys as were pressed: only then is there a time for each of them. Typings with corrections are not asked about. */
const sameStrokes: Alike = (text, right, { sentence: { strokes } }) =>
  strokesOf(text).length === strokes.length && strokesOf(right).length === strokes.length;

function questionsOf(asked: readonly Typing[], all: readonly Typing[], alike: Alike, random: Random): Question[] {
  const texts = new Map<string, Typing[]>();
  for (const typing of all) texts.set(typing.id, [...(texts.get(typing.id) ?? []), typing]);
  const ids = [...texts.keys()];
  return asked.flatMap((typing): Question[] => {
    const textFor = (id: string): string | undefined => referenceOf(texts.get(id) ?? [], typing.person);
    const right = textFor(typing.id);
    if (right === undefined || right.length < 10) return [];
    const others: string[] = [];
    if (alike(right, right, typing)) {
      for (const id of shuffled(ids, random)) {
        const text = id === typing.id ? undefined : textFor(id);
        if (text !== undefined && text !== right && alike(text, right, typing)) others.push(text);
        if (others.length === CANDIDATES - 1) break;
      }
    }
    if (others.length < CANDIDATES - 1) return [];
    const place = random.whole(0, CANDIDATES - 1);
    return [{ typing, candidates: [...others.slice(0, place), right, ...others.slice(place)], right: place }];
  });
}

/** What a sentence is, as the others typed it: by whoever corrected least, since the data do not hold the sentence itself. */
function referenceOf(typings: readonly Typing[], person: number): string | undefined {
  const corrections = ({ sentence: { strokes } }: Typing): number =>
    strokes.filter(({ key }) => key === 'Backspace').length;
  const others = typings.filter((typing) => typing.person !== person);
  return others.toSorted((a, b) => corrections(a) - corrections(b))[0]?.text;
}

interface NamedGuess {
  readonly by: string;
  readonly guess: Guess;
}

interface Answer {
  readonly person: number;
  readonly hit: number;
}

const answer = (question: Question, guess: Guess): Answer => ({
  person: question.typing.person,
  hit: topOne(guess(question), question.right),
});

/** Hits of the way to guess that hits most, over both halves; people are drawn for the interval, with all their sentences. */
function strongest(
  answered: readonly { readonly by: string; readonly answers: readonly Answer[] }[],
  rounds: number,
  random: Random,
): Measure {
  const ways = [...new Set(answered.map(({ by }) => by))].map((by) => {
    const answers = answered.filter((one) => one.by === by).flatMap((one) => one.answers);
    return { by, answers, value: mean(answers.map(({ hit }) => hit)) };
  });
  const best = ways.reduce((a, b) => (b.value > a.value ? b : a));
  const byPerson = [...groupHits(best.answers).values()];
  const range = bootstrap(byPerson.length, rounds, random, (drawn) =>
    mean([...drawn].flatMap((i) => byPerson[i] ?? [])),
  );
  const chance = 1 / CANDIDATES;
  // Knowing nothing, each answer is a throw of a die with ten sides.
  const half = 1.96 * Math.sqrt((chance * (1 - chance)) / Math.max(1, best.answers.length));
  return { name: 'top-1', value: best.value, range, chance, chanceRange: [chance - half, chance + half], by: best.by };
}

function groupHits(answers: readonly Answer[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const { person, hit } of answers) groups.set(person, [...(groups.get(person) ?? []), hit]);
  return groups;
}

// --- guesses ---

/** Changes that make one text the other (Levenshtein, 1966). */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function byTiming(background: readonly Typing[]): NamedGuess {
  const likelihood = learnTimings(background.map((typing) => typing.sentence.strokes));
  return {
    by: 'timing of pairs of keys',
    guess: ({ typing, candidates }) => candidates.map((text) => likelihood(typing.sentence.strokes, strokesOf(text))),
  };
}

/** Widths of the kernel: how alike two texts must be for one to tell what the other looks like when released. */
const NARROWNESS = [0.5, 2] as const;

/** How often texts like a candidate left the trace that is asked about, among what background people typed. */
function byTraces(background: readonly Typing[], narrowness: number, traceOf: (typing: Typing) => string): NamedGuess {
  const known = new Map<string, { count: number; looks: Float64Array[] }>();
  for (const typing of background) {
    const trace = traceOf(typing);
    const entry = known.get(trace) ?? { count: 0, looks: [] };
    known.set(trace, entry);
    entry.looks.push(looksOf(typing.text));
  }
  const all = background.map(({ text }) => looksOf(text));
  const weights = new Map<string, number>();
  const weight = (of: Float64Array, list: readonly Float64Array[]): number => {
    let sum = 0;
    for (const other of list) {
      let apart = 0;
      for (let i = 0; i < of.length; i += 1) apart += ((of[i] ?? 0) - (other[i] ?? 0)) ** 2;
      sum += Math.exp(-narrowness * apart);
    }
    return sum;
  };
  const total = (text: string): number => {
    const sum = weights.get(text) ?? weight(looksOf(text), all);
    weights.set(text, sum);
    return sum;
  };
  return {
    by: `kernel of width ${narrowness}`,
    guess: ({ typing, candidates }) => {
      const looks = known.get(traceOf(typing))?.looks ?? [];
      return candidates.map((text) => (weight(looksOf(text), looks) + 1e-9) / (total(text) + 1e-6));
    },
  };
}

/** What of a text could show in what is released. */
function looksOf(text: string): Float64Array {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  return Float64Array.of(
    text.length / 5,
    count(/\p{Lu}/gu) / 2,
    count(/[^\p{L}\p{N}\s]/gu) / 2,
    count(/\p{N}/gu) / 2,
    count(/\s/gu) / 3,
  );
}

/** Every value of every row. */
const tableTrace = ({ actions }: Released): string =>
  actions.map(({ action, key, length, count, pause }) => [action, key, length, count, pause].join(',')).join(';');

const topicTrace = (released: Released): string => `${tableTrace(released)} in ${released.gaps.join('+')}`;

/**
 * What a vocabulary built from simulated people keeps and lets in, for several k and epsilon. Everything runs in this
 * process: the processors over simulated work, then the counter and the selections that `redactory vocabulary build` has.
 */
import { randomBytes } from 'node:crypto';
import { byBudget, byPeople, type Selection } from '../src/privacy/partition-selection.ts';
import { sha256 } from '../src/privacy/policy/digest.ts';
import { createSegmentReader, type SegmentReader } from '../src/privacy/segments.ts';
import { normaliseSegment, tokens } from '../src/privacy/text.ts';
import { vocabularyOf } from '../src/privacy/vocabulary-file.ts';
import { createSegmentPipeline, prepareSegments } from '../src/processors/segmentPipeline.ts';
import { simulate, type PlantedString } from '../src/producers/simulator/index.ts';
import { createPeopleCounter } from '../src/runtime/vocabulary/count.ts';
import { createWorkloadTools } from './workload.ts';

export interface VocabularyRow {
  readonly selection: string;
  readonly entries: number;
  /** Share of occurrences of segments that nobody planted that are kept, 0..1. */
  readonly kept: number;
  /** Distinct planted strings of which an entry holds something, with recognisers and without. */
  readonly planted: number;
  readonly plantedUnrecognised: number;
}

const DELTA = 1e-6;
const MAX_CONTRIBUTIONS = 20;
const KS = [2, 5, 10, 20, 50];
const EPSILONS = [0.5, 1, 2, 4];

export async function benchVocabulary(people: number, minutes: number, seed: number): Promise<VocabularyRow[]> {
  const known = vocabularyOf('', 'none');
  const nothing = createSegmentReader(known, () => false);
  const [recognised, all] = [await collect(people, minutes, seed), await collect(people, minutes, seed, nothing)];
  const isPlanted = plantedIn(all.planted);
  const selections: readonly (readonly [string, () => Selection])[] = [
    ...KS.map((k) => [`k = ${k}`, () => byPeople(k)] as const),
    ...EPSILONS.map((epsilon) => {
      const budget = { epsilon, delta: DELTA, maxContributions: MAX_CONTRIBUTIONS };
      return [`epsilon = ${epsilon}`, () => byBudget(budget, randomBytes)] as const;
    }),
  ];
  const rows: VocabularyRow[] = [];
  for (const [name, selection] of selections) {
    const kept = await select(recognised.seen, selection());
    const unrecognised = await select(all.seen, selection());
    const plain = [...recognised.occurrences].filter(([segment]) => isPlanted(segment).length === 0);
    const total = plain.reduce((sum, [, n]) => sum + n, 0);
    const has = new Set(kept);
    rows.push({
      selection: name,
      entries: kept.length,
      kept: plain.reduce((sum, [segment, n]) => sum + (has.has(segment) ? n : 0), 0) / total,
      planted: new Set(kept.flatMap(isPlanted)).size,
      plantedUnrecognised: new Set(unrecognised.flatMap(isPlanted)).size,
    });
  }
  return rows;
}

interface Collected {
  /** Segments (kind and text) by person. */
  readonly seen: ReadonlyMap<string, ReadonlySet<string>>;
  readonly occurrences: ReadonlyMap<string, number>;
  readonly planted: readonly PlantedString[];
}

async function collect(people: number, minutes: number, seed: number, segments?: SegmentReader): Promise<Collected> {
  const { codec, policy, subjectKey, consent, keyring, start } = await createWorkloadTools();
  const seen = new Map<string, Set<string>>();
  const occurrences = new Map<string, number>();
  const planted: PlantedString[] = [];
  const pipeline = createSegmentPipeline({
    codec,
    policy,
    subjectKey,
    consent,
    keyring,
    prepared: prepareSegments(policy, vocabularyOf('', 'none'), segments),
    fingerprint: (text) => parseInt(sha256(text).slice(7, 19), 16),
    onSegment(person, { kind, text }) {
      const segment = `${kind} ${text}`;
      const own = seen.get(person) ?? new Set();
      seen.set(person, own.add(segment));
      occurrences.set(segment, (occurrences.get(segment) ?? 0) + 1);
    },
  });
  let offset = 0;
  const options = { people, minutes, seed, start, subjectKey, truth: (one: PlantedString) => planted.push(one) };
  for (const simulated of simulate({ ...options, consent: 'all_enrolled' })) {
    if (simulated.kind === 'consent') consent.apply(simulated.decision);
    else {
      const { key, envelope, payload } = simulated.record;
      pipeline.process({ key, value: codec.encodeCapture(envelope, payload), offset: offset++ });
    }
  }
  return { seen, occurrences, planted };
}

async function select(seen: Collected['seen'], selection: Selection): Promise<string[]> {
  const counter = createPeopleCounter({
    selection,
    random: randomBytes,
    limitBytes: 1 << 30,
    folder: () => Promise.reject(new Error('it all fits into memory')),
  });
  for (const [person, segments] of seen) {
    for (const segment of segments) {
      const [kind = '', ...text] = segment.split(' ');
      counter.add(person, { kind: kind as 'text', text: text.join(' ') });
    }
  }
  const kept: string[] = [];
  for await (const { kind, text } of counter.selected()) kept.push(`${kind} ${text}`);
  await counter.close();
  return kept;
}

/** Kinds whose every longer word is the person's, as in the leak tests; the others are sentences. */
const NAMING: ReadonlySet<string> = new Set(['name', 'email', 'subject', 'device', 'password', 'token']);

/**
 * The planted strings of which a segment holds something: the whole of one, in its normal form and as whole words, or a word
 * of five letters or more of one that names somebody. What a reviewed vocabulary holds, anybody may read: it is the
 * software's own, and is left out.
 */
function plantedIn(planted: readonly PlantedString[]): (segment: string) => string[] {
  const forms = new Map<string, string>();
  const add = (words: readonly string[], of: string): void => {
    if (words.some((word) => word !== '{n}' && word.length > 1)) forms.set(words.join(' '), of);
  };
  for (const { text, kind } of planted) {
    if (REVIEWED.find(normaliseSegment(text)) !== undefined) continue;
    add(tokens(text), text);
    if (!NAMING.has(kind)) continue;
    for (const word of tokens(text))
      if (word.length >= 5 && !PUBLIC_WORDS.has(word) && word !== 'example') add([word], text);
  }
  const longest = Math.max(...[...forms.keys()].map((form) => form.split(' ').length));
  const found = (segment: string): string[] => {
    const words = tokens(segment.slice(segment.indexOf(' ') + 1));
    const hits: string[] = [];
    for (let from = 0; from < words.length; from++) {
      for (let to = from + 1; to <= Math.min(words.length, from + longest); to++) {
        const of = forms.get(words.slice(from, to).join(' '));
        if (of !== undefined) hits.push(of);
      }
    }
    return hits;
  };
  return found;
}

const { vocabulary: REVIEWED } = await createWorkloadTools();
const PUBLIC_WORDS = new Set(REVIEWED.entries.flatMap(({ text }) => tokens(text)));

export function vocabularyTable(rows: readonly VocabularyRow[]): string {
  const head = ['selection', 'entries', 'UI text kept', 'planted strings in it', 'without recognisers'];
  const body = rows.map((row) => [
    row.selection,
    String(row.entries),
    `${(row.kept * 100).toFixed(1)} %`,
    String(row.planted),
    String(row.plantedUnrecognised),
  ]);
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

import { createHmac, randomBytes as systemRandom } from 'node:crypto';
import { createSample, type RandomBytes, type Selection } from '../../privacy/partition-selection.ts';
import type { Segment } from '../../privacy/segments.ts';
import { ENTRY_KINDS, type EntryKind } from '../../privacy/vocabulary.ts';
import { createSorter, type Sorter } from './sorter.ts';
import type { SpillFolder } from './spill.ts';

/** A segment that a selection has kept. How many people it was is not said. */
export interface Kept {
  readonly kind: EntryKind;
  readonly text: string;
}

/** Counts the distinct people of every segment, exactly, in bounded memory, and lets a selection decide. */
export interface PeopleCounter {
  add(person: string, segment: Pick<Segment, 'kind' | 'text'>): void;
  /** To be called between batches: writes to disk what has become too much. */
  settle(): Promise<void>;
  /** What the selection keeps, by kind and spelling. Ends the counter. */
  selected(): AsyncGenerator<Kept>;
  /** People who count for anything. */
  readonly people: number;
  /** Files that were needed. */
  readonly spilled: number;
  close(): Promise<void>;
}

/**
 * Each pair of a segment and a person is a line: `kind text TAB person`. Sorted, the people of a segment stand together. Where
 * people count for a limited number of segments, the lines are sorted by person before that, and each person's are sampled.
 *
 * @param random picks the sample; keys are always the system's.
 */
export function createPeopleCounter(options: {
  readonly selection: Selection;
  readonly random: RandomBytes;
  readonly limitBytes: number;
  readonly folder: () => Promise<SpillFolder>;
}): PeopleCounter {
  const { selection, limitBytes, folder, random } = options;
  const { maxContributions } = selection;
  const key = systemRandom(32);
  const people = new Map<string, string>();
  const bySegment = createSorter(limitBytes, folder);
  const byPerson = maxContributions === null ? null : createSorter(limitBytes, folder);

  function printOf(person: string): string {
    let print = people.get(person);
    if (print === undefined) {
      print = createHmac('sha256', key).update(person).digest('hex').slice(0, PRINT_LENGTH);
      people.set(person, print);
    }
    return print;
  }
  async function spillIfFull(sorter: Sorter): Promise<void> {
    if (sorter.isFull) await sorter.spill();
  }

  async function takeSamples(sorter: Sorter, max: number): Promise<void> {
    let current: string | undefined;
    let sample = createSample<string>(max, random);
    const take = (): void => {
      for (const line of sample.taken()) bySegment.add(`${line}\t${current ?? ''}`);
    };
    for await (const lines of sorter.sorted()) {
      for (const line of lines) {
        const person = line.slice(0, PRINT_LENGTH);
        if (person !== current) {
          take();
          await spillIfFull(bySegment);
          current = person;
          sample = createSample(max, random);
        }
        sample.put(line.slice(PRINT_LENGTH));
      }
    }
    take();
    await sorter.close();
  }

  async function* selected(): AsyncGenerator<Kept> {
    if (byPerson !== null && maxContributions !== null) await takeSamples(byPerson, maxContributions);
    let current: string | undefined;
    let count = 0;
    for await (const lines of bySegment.sorted()) {
      for (const line of lines) {
        const segment = line.slice(0, line.lastIndexOf('\t'));
        if (segment !== current) {
          if (current !== undefined && selection.keeps(count)) yield keptOf(current);
          current = segment;
          count = 0;
        }
        count++;
      }
    }
    if (current !== undefined && selection.keeps(count)) yield keptOf(current);
  }

  return {
    add(person, { kind, text }) {
      const print = printOf(person);
      const segment = `${ENTRY_KINDS.indexOf(kind)}${text}`;
      if (byPerson === null) bySegment.add(`${segment}\t${print}`);
      else byPerson.add(`${print}${segment}`);
    },
    async settle() {
      await spillIfFull(byPerson ?? bySegment);
    },
    selected,
    get people() {
      return people.size;
    },
    get spilled() {
      return bySegment.spilled + (byPerson?.spilled ?? 0);
    },
    async close() {
      people.clear();
      await bySegment.close();
      await byPerson?.close();
    },
  };
}

/** 64 bits: that two of a million people share a fingerprint, and count as one, is a matter of one in 10^7. */
const PRINT_LENGTH = 16;

function keptOf(segment: string): Kept {
  const kind = ENTRY_KINDS[Number(segment[0])];
  if (kind === undefined) throw new TypeError('a line without a kind');
  return { kind, text: segment.slice(1) };
}

/** How far each raw partition was at which moment: what stood still, and what went on meanwhile. */
import type { NewRecord } from '../../src/log/event-log.ts';
import type { Line } from './line.ts';
import { untilTrue } from './until.ts';

/** So many raw batches wait on every partition, at least. */
const LOAD = 60;

interface Sample {
  readonly at: number;
  /** Committed, by partition. */
  readonly offsets: readonly number[];
}

export class Timeline {
  readonly #line: Line;
  readonly #batches: NewRecord[];
  readonly #samples: Sample[] = [];

  /** @param batches taken from and appended as workers need more to do. */
  constructor(line: Line, batches: NewRecord[]) {
    this.#line = line;
    this.#batches = batches;
  }

  /** Looks at the positions until the condition holds and, after that, all partitions have got further. */
  async watch(what: string, isReached: () => Promise<boolean>): Promise<void> {
    await untilTrue(what, () => this.#look(isReached), { state: () => this.#line.told() });
    const then = this.#samples.at(-1)?.offsets ?? [];
    const haveMoved = async (): Promise<boolean> => {
      const now = this.#samples.at(-1)?.offsets ?? [];
      return now.every((offset, partition) => offset > (then[partition] ?? 0));
    };
    await untilTrue(`all partitions to go on after ${what}`, () => this.#look(haveMoved), {
      state: () => `${JSON.stringify(this.#samples.at(-1))}\n${this.#line.told()}`,
    });
  }

  /** The longest time that a partition stood still, and how many of the other's commits were seen in that time. */
  during(standing: number, other: number): { readonly ms: number; readonly commits: number } {
    const moves = this.#movesOf(standing);
    let longest = { from: 0, to: 0 };
    for (const [i, to] of moves.entries()) {
      const from = moves[i - 1] ?? this.#samples[0]?.at ?? to;
      if (to - from > longest.to - longest.from) longest = { from, to };
    }
    const commits = this.#movesOf(other).filter((at) => at > longest.from && at < longest.to).length;
    return { ms: longest.to - longest.from, commits };
  }

  /** When a partition was seen to have got further, ms. */
  #movesOf(partition: number): number[] {
    return this.#samples
      .filter(({ offsets }, i) => i > 0 && offsets[partition] !== this.#samples[i - 1]?.offsets[partition])
      .map(({ at }) => at);
  }

  async #look(condition: () => Promise<boolean>): Promise<boolean> {
    const positions = await this.#line.positions('sanitize');
    this.#samples.push({ at: performance.now(), offsets: positions.map(({ committed, begin }) => committed ?? begin) });
    if (positions.some(({ committed, begin, end }) => end - (committed ?? begin) < LOAD)) await this.#feed();
    return condition();
  }

  async #feed(): Promise<void> {
    const more = this.#batches.splice(0, LOAD);
    if (more.length === 0) throw new Error('all of the recording has been appended: record more');
    await this.#line.append(more);
  }
}

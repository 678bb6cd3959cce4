import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/log/event-log.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';
import { buildCli, type Cli } from '../e2e/cli.ts';
import { check, type Evidence } from './checker.ts';
import { gather } from './evidence.ts';
import { Line } from './line.ts';

/** A sound line on the embedded log, and what happens to the verdict when its evidence is changed. */
describe('the checker', () => {
  let cli: Cli;
  let line: Line;
  /** Opened as the sanitizer, whose work is done again for comparison. */
  let judge: Workspace;
  let sound: Evidence;
  beforeAll(async () => {
    cli = await buildCli();
    line = await Line.open({ cli, seed: 1 });
    const { batches } = await line.simulate({ people: 4, minutes: 6 });
    await line.append([...batches, { key: 'nobody', value: Buffer.from('no batch'), timestamp: Date.now() }]);
    line.start('run');
    await line.drained();
    for (const worker of line.workers) await line.retire(worker);
    judge = await openWorkspace(line.workspace.config, {}, { role: 'sanitizer' });
    sound = await gather(line, judge);
  });
  afterAll(async () => {
    await judge.close();
    await line.close();
    await cli.remove();
  });

  const problems = async (change: Partial<Evidence>): Promise<readonly string[]> =>
    (await check({ ...sound, ...change })).problems;
  const middle = <T>(all: readonly T[]): T => {
    const one = all[Math.floor(all.length / 2)];
    if (one === undefined) throw new Error('there is nothing');
    return one;
  };

  it('finds nothing wrong with what a run left', async () => {
    const verdict = await check(sound);
    expect(verdict.problems).toEqual([]);
    expect(verdict.counts['batches released once, byte for byte']).toBeGreaterThan(20);
    expect(verdict.counts['batches quarantined once']).toBe(1);
    expect(verdict.counts['table rows']).toBeGreaterThan(100);
    expect(sound.needles.length).toBeGreaterThan(100);
  });

  it('finds a record that is missing', async () => {
    // The last record of a session leaves no gap behind: which one is in the middle is another with each run's keys.
    const sessionOf = ({ value }: LogRecord): string => sound.codec.decodeReleased(value ?? new Uint8Array()).session;
    const lost = middle(
      sound.sanitized.filter((one) =>
        sound.sanitized.some((later) => later.offset > one.offset && sessionOf(later) === sessionOf(one)),
      ),
    );
    const found = await problems({ sanitized: sound.sanitized.filter((one) => one !== lost) });
    expect(found).toContainEqual(expect.stringMatching(/^lost: /u));
    expect(found).toContainEqual(expect.stringMatching(/^a gap in a session/u));
  });

  it('finds a record that is there twice', async () => {
    const doubled = { ...middle(sound.sanitized), offset: 1_000_000 };
    const found = await problems({ sanitized: [...sound.sanitized, doubled] });
    expect(found).toContainEqual(expect.stringMatching(/^doubled: /u));
    expect(found).toContainEqual(expect.stringMatching(/^out of order: /u));
  });

  it('finds records in another order', async () => {
    // Only records of one raw partition have an order on their sanitised one.
    const streamOf = ({ partition, headers }: LogRecord): string => `${partition} ${headers['source-partition']}`;
    const inStream = (one: LogRecord): readonly LogRecord[] =>
      sound.sanitized.filter((other) => streamOf(other) === streamOf(one));
    const [first, second] = inStream(middle(sound.sanitized.filter((one) => inStream(one).length > 1)));
    if (first === undefined || second === undefined) throw new Error('each stream has one record only');
    const swapped = sound.sanitized.map((one) => {
      if (one === first) return { ...first, offset: second.offset };
      return one === second ? { ...second, offset: first.offset } : one;
    });
    expect(await problems({ sanitized: swapped })).toContainEqual(expect.stringMatching(/^out of order: /u));
  });

  it('finds a record of which one byte differs, or on another partition', async () => {
    const one = middle(sound.sanitized);
    const value = Buffer.from(one.value ?? []);
    value.writeUInt8(value.readUInt8(10) ^ 1, 10);
    for (const changed of [
      { ...one, value },
      { ...one, partition: (one.partition + 1) % 4 },
      { ...one, timestamp: one.timestamp + 1 },
    ]) {
      const sanitized = sound.sanitized.map((record) => (record === one ? changed : record));
      expect(await problems({ sanitized })).toContainEqual(expect.stringMatching(/^altered: /u));
    }
  });

  it('finds what should not have been released', async () => {
    const { reference } = sound;
    const fewer = { ...reference, released: reference.released.filter((one) => one !== middle(reference.released)) };
    expect(await problems({ reference: fewer })).toContainEqual(expect.stringMatching(/^not to be released: /u));
  });

  it('finds a batch that was quarantined twice, never, or without a reason to', async () => {
    const [entry] = sound.quarantine;
    if (entry === undefined) throw new Error('nothing was quarantined');
    for (const quarantine of [[], [entry, entry]]) {
      expect(await problems({ quarantine })).toContainEqual(expect.stringMatching(/^quarantined [02] times, not 1/u));
    }
    const reference = { ...sound.reference, quarantined: [] };
    expect(await problems({ reference })).toContainEqual(expect.stringMatching(/^quarantined 1 times, not 0/u));
  });

  it('finds a position that is not at its end', async () => {
    // With keys of this run's own, a partition may have got nobody's batches.
    const first = sound.positions.find(({ begin, end }) => end > begin);
    if (first === undefined) throw new Error('there are no positions');
    const others = sound.positions.filter((one) => one !== first);
    for (const committed of [undefined, first.end - 1]) {
      const found = await problems({ positions: [{ ...first, committed }, ...others] });
      expect(found).toContainEqual(expect.stringContaining('has committed'));
    }
  });

  it('finds rows that are missing, doubled or changed, and a table that is behind', async () => {
    const row = middle(sound.rows);
    const without = sound.rows.filter((one) => one !== row);
    const digest = expect.stringMatching(/^the table's digest/u);
    expect(await problems({ rows: without })).toContainEqual(expect.stringMatching(/0 times, not 1$/u));
    expect(await problems({ rows: [...sound.rows, row] })).toContainEqual(expect.stringMatching(/2 times, not 1$/u));
    expect(await problems({ rows: [...without, { ...row, app: `${row.app} ` }] })).toEqual([digest]);
    const [partition] = [...sound.marks.keys()];
    const marks = new Map([...sound.marks, [partition ?? 0, 0]]);
    expect(await problems({ marks })).toEqual([expect.stringMatching(/^the table has taken/u)]);
  });

  it('finds events that are not accounted for', async () => {
    const { counts } = sound.reference;
    const reference = { ...sound.reference, counts: { ...counts, read: (counts['read'] ?? 0) + 1 } };
    expect(await problems({ reference })).toEqual([expect.stringMatching(/events were read/u)]);
  });

  it('finds a planted text, wherever it comes out', async () => {
    const needle = sound.needles.find(({ form }) => form.length > 12);
    if (needle === undefined) throw new Error('nothing was planted');
    for (const haystack of sound.haystacks.filter((_one, i) => i % 97 === 0)) {
      const haystacks = [...sound.haystacks, { ...haystack, text: `${haystack.text} ${needle.form}` }];
      expect(await problems({ haystacks })).toContainEqual(expect.stringMatching(/^leaked: /u));
    }
  });
});

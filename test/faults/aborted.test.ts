import { expect, it } from 'vitest';
import type { NewRecord, Transaction } from '../../src/log/event-log.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { readAll } from './evidence.ts';
import { describeFaults } from './harness.ts';
import { PARTITIONS } from './line.ts';
import { partsOf } from './kills.ts';

describeFaults('transactions that were given up', (stage) => {
  it('lie about on the sanitised topic, overlap, and never reach the table', async () => {
    const { line } = await stage();
    const { log } = line.workspace;
    const { batches } = await line.simulate({ people: 8, minutes: 6 });
    const parts = partsOf(batches, 4);
    line.start('sanitize');
    await line.append(parts[0] ?? []);
    await line.worked(parts[0]?.length ?? 0);
    const copies = (await readAll(line.workspace, TOPICS.sanitized)).map(
      ({ key, value, timestamp, partition, headers }, i) => ({
        key,
        value,
        timestamp,
        partition,
        // As of raw records to come: a sink that took one would take it for good, and leave the true one out.
        headers: { ...headers, 'source-offset': String(Number(headers['source-offset']) + 1 + i) },
      }),
    );
    const producers = await Promise.all(['a', 'b', 'c'].map((name) => log.transactional(`given-up/${name}`)));
    const open: Transaction[] = [];
    for (const [i, part] of parts.slice(1).entries()) {
      // One begins before the last one is given up: on every partition they overlap, among good records.
      const next = await producers[i % producers.length]?.begin();
      if (next === undefined) throw new Error('there is no producer');
      await next.append(TOPICS.sanitized, spread(copies));
      await line.append(part);
      await open.at(-1)?.append(TOPICS.sanitized, spread(copies));
      await open.pop()?.abort();
      open.push(next);
      await line.worked(parts.slice(0, i + 2).flat().length);
    }
    // The last of them dies: the broker gives its transaction up when its time is over.
    const dead = producers.at(-1);
    line.start('sink');
    await line.finish('transactions given up');
    for (const producer of producers) if (producer !== dead) await producer.close();
    expect(copies.length).toBeGreaterThan(5);
  });
});

/** Some for every partition. */
function spread(copies: readonly NewRecord[]): NewRecord[] {
  return copies.slice(0, 40).map((copy, i) => ({ ...copy, partition: i % PARTITIONS }));
}

/** Another process on the same log, driven by {@link ../support/processes.ts}. Arguments: what to do, the folder. */
import { openEmbeddedLog } from '../../../src/log/embedded.ts';
import { LogStorageError, type EventLog } from '../../../src/log/event-log.ts';

const [, , task, dir = ''] = process.argv;

async function main(): Promise<void> {
  const log = await openEmbeddedLog({ dir });
  if (task === 'transactions') await writeTransactions(log);
  if (task === 'append') await log.append('t', [{ key: 'k', value: Buffer.from('from the child'), timestamp: 1 }]);
  if (task === 'member') await holdPartitions(log);
  if (task === 'fill-disk') await fillDisk(log);
  await log.close();
}

/** Commits transaction after transaction until killed, and says so after each. */
async function writeTransactions(log: EventLog): Promise<void> {
  const producer = await log.transactional('crashing');
  const start = (await log.committed('g', { topic: 'in', partition: 0 }))?.offset ?? 0;
  for (let n = start; ; n += 1) {
    const tx = await producer.begin();
    const size = 1 + (n % 20);
    for (let i = 0; i < size; i += 1) {
      const value = Buffer.concat([
        Buffer.from(JSON.stringify({ n, size })),
        Buffer.alloc((n * i * 977) % 20_000, ' '),
      ]);
      await tx.append('t', [{ key: `${n}/${i}`, value, timestamp: n }]);
    }
    await tx.commitOffset('g', { topic: 'in', partition: 0 }, { offset: n + 1, metadata: `${size}` });
    await tx.commit();
    process.send?.(n);
  }
}

async function holdPartitions(log: EventLog): Promise<void> {
  const member = await log.join('g', 't');
  for (;;) {
    process.send?.(member.assignment().length);
    await member.changed(1000);
  }
}

async function fillDisk(log: EventLog): Promise<void> {
  const value = Buffer.alloc(100_000, 1);
  for (let n = 0; ; n += 1) {
    try {
      await log.append('t', [{ key: 'k', value, timestamp: n }]);
    } catch (error) {
      const again = await log.append('t', [{ key: 'k', value: null, timestamp: n }]).catch((e: unknown) => e);
      const [end = 0] = await log.endOffsets('t');
      const { records } = await log.read({
        topic: 't',
        partition: 0,
        offset: 0,
        maxRecords: 1e6,
        maxBytes: 1e9,
        waitMs: 0,
      });
      process.send?.({
        message: error instanceof LogStorageError ? error.message : `not a LogStorageError: ${String(error)}`,
        refusedAgain: again instanceof LogStorageError,
        allThere: end === n && records.length === n,
      });
      return;
    }
  }
}

await main();

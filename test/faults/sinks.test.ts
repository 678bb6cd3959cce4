import { expect, it } from 'vitest';
import { runSink } from '../../src/runtime/sink-runner.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import {
  FencedSinkError,
  openTableStore,
  openTrainingTable,
  readTable,
  type TableStore,
} from '../../src/sinks/index.ts';
import { whyNoS3 } from '../servers/s3.ts';
import { describeFaults, report, s3Table } from './harness.ts';
import type { Line } from './line.ts';
import { partsOf } from './kills.ts';
import { told } from './told.ts';
import { until, untilTrue } from './until.ts';
import type { Worker } from './worker.ts';

/** A commit for every few records. */
const OFTEN = { sink: { flushSeconds: 1, flushRows: 10 } };

/** Whoever comes after a kill has its partitions at once. */
const NAMED = { REDACTORY_KAFKA_INSTANCE: 'table' };

describeFaults('the table', (stage) => {
  const kinds = [
    ['a folder', undefined],
    ['S3', whyNoS3()],
  ] as const;
  for (const [place, lacking] of kinds) {
    const title = lacking === undefined ? '' : ` (skipped: ${lacking})`;
    it.skipIf(lacking !== undefined)(
      `in ${place}: a sink killed between a Parquet file and its commit leaves no half${title}`,
      async () => {
        const { line } = await stage({
          settings: place === 'S3' ? { ...OFTEN, ...(await s3Table()).settings } : OFTEN,
        });
        const store = await storeOf(line);
        const { batches } = await line.simulate({ people: 16, minutes: 10 });
        line.start('sanitize');
        const parts = partsOf(batches, 3);
        for (const part of parts.slice(0, 2)) {
          const sink = line.start('sink', NAMED);
          const appending = line.append(part);
          const orphans = await killBetween(sink, store);
          report(`${sink.name} was killed with ${orphans.length} file that no commit names`);
          await appending;
        }
        await line.append(parts[2] ?? []);
        const last = line.start('sink', NAMED);
        await told(last, 'sinkKilled');
        const verdict = await line.finish(`a sink killed before its commit, on ${place}`);
        expect(verdict.counts['table rows']).toBeGreaterThan(50);
      },
    );
  }

  it('with two sinks on its partitions takes each record from one of them; the other is told so', async () => {
    const { line } = await stage({ settings: OFTEN });
    const { batches } = await line.simulate({ people: 12, minutes: 6 });
    line.start('sanitize');
    const own = line.start('sink');
    const [early = [], late = []] = partsOf(batches, 2);
    await line.append(early);
    await untilTrue('the sink to commit', async () => (await line.progress('sink')) > 0);
    const stop = new AbortController();
    const other = intrude(line, stop.signal);
    await line.append(late);
    await told(own, 'twoSinks');
    stop.abort();
    expect(await other).toBeGreaterThanOrEqual(0);
    await line.finish('two sinks on the same partitions');
  });
});

/** A second sink outside of the group, which starts again whenever it is refused. Returns how often that was. */
async function intrude(line: Line, signal: AbortSignal): Promise<number> {
  const { log, codec, config, now, zstd } = line.workspace;
  const telemetry = createTelemetry(silentLogger);
  for (let refused = 0; ; refused++) {
    const sink = await openTrainingTable({
      store: await storeOf(line),
      topic: TOPICS.sanitized,
      flushRows: 10,
      now,
      zstd,
    });
    const options = { log, codec, sink, telemetry, fetch: config.fetch, flushSeconds: 1, now, alone: true };
    try {
      await runSink(options, { end: false, signal });
      await sink.close();
      return refused;
    } catch (error) {
      if (!(error instanceof FencedSinkError)) throw error;
      await sink.close().catch(() => undefined);
    }
  }
}

/**
 * Stops the sink again and again, until it stands where a data file is written and no commit names it; there it dies.
 *
 * @returns the files' paths.
 */
async function killBetween(sink: Worker, store: TableStore): Promise<readonly string[]> {
  await sink.ready();
  const before = new Set(await orphansIn(store));
  return until(
    `${sink.name} to stand between a data file and its commit`,
    async () => {
      sink.signal('SIGSTOP');
      const orphans = (await orphansIn(store)).filter((path) => !before.has(path));
      if (orphans.length > 0) {
        await sink.kill();
        return orphans;
      }
      sink.signal('SIGCONT');
      return undefined;
    },
    { state: () => sink.told() },
  );
}

/** Data files that no commit names. */
async function orphansIn(store: TableStore): Promise<readonly string[]> {
  const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const folders = [day(1), day(0)].map((date) => `date=${date}`);
  const files = (
    await Promise.all(folders.map(async (folder) => (await store.list(folder)).map((file) => `${folder}/${file}`)))
  ).flat();
  if (files.length === 0) return [];
  const named = new Set((await readTable({ store })).files.map(({ path }) => path));
  return files.filter((path) => !named.has(path));
}

function storeOf({ workspace }: Line): Promise<TableStore> {
  const { table, s3 } = workspace.config;
  return openTableStore(table, { s3 });
}

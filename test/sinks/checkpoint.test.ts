import { expect, test } from 'vitest';
import { loadZstd } from '../../src/events/zstd.ts';
import { readCheckpoint, renderCheckpoint } from '../../src/sinks/training-table/checkpoint.ts';
import type { TableState } from '../../src/sinks/training-table/delta-log.ts';
import { newMetaData, PROTOCOL } from '../../src/sinks/training-table/layout.ts';

const stateOf = (count: number): TableState => ({
  version: count,
  protocol: PROTOCOL,
  metaData: newMetaData('training', 0),
  files: new Map(
    Array.from({ length: count }, (_, n) => {
      const path = `date=2026-11-01/part-${n}.zstd.parquet`;
      const stats = JSON.stringify({ numRecords: n });
      const partitionValues = { date: '2026-11-01' };
      return [path, { path, partitionValues, size: n, modificationTime: n, dataChange: true, stats, tags: {} }];
    }),
  ),
  removed: new Map(),
  marks: new Map([['training/t/0', { appId: 'training/t/0', version: 7, lastUpdated: 1 }]]),
});

test('a large one gives way to other work while it is made, and is of the moment at which it was begun', async () => {
  const zstd = await loadZstd();
  const state = stateOf(30_000);
  let turns = 0;
  const count = (): void => {
    turns++;
    state.files.clear();
    state.marks.clear();
    if (turns < 100) setImmediate(count);
  };
  setImmediate(count);
  const { bytes, actions } = await renderCheckpoint(state, zstd, 0);
  expect(turns).toBeGreaterThan(2);
  turns = 100;
  expect(actions).toBe(30_003);
  const read = await readCheckpoint(bytes, zstd, 'it');
  expect(read).toHaveLength(30_003);
  expect(read.flatMap(({ txn }) => txn ?? [])).toEqual([{ appId: 'training/t/0', version: 7, lastUpdated: 1 }]);
  const sizes = read.flatMap(({ add }) => (add ? [add.size] : []));
  expect(sizes).toEqual(Array.from({ length: 30_000 }, (_, n) => n));
});

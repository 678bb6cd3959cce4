import * as fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../../src/log/embedded.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import { onlyRecordsOf } from '../../../src/runtime/playground/one-person.ts';

let dir: string;
let log: EventLog;
let topics = 0;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-one-'));
  log = await openEmbeddedLog({ dir });
});
afterAll(async () => {
  await log.close();
  await rm(dir, { recursive: true });
});

it('shows the records of one key, at their offsets, and goes past all others', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('you', 'ana', 'you2', ''), { maxLength: 30 }), async (keys) => {
      const name = `raw-${topics++}`;
      await log.createTopics([{ name, partitions: 1, cleanup: { kind: 'delete', retentionMs: 1e9 } }]);
      if (keys.length > 0) {
        await log.append(
          name,
          keys.map((key, i) => ({ key, value: Uint8Array.of(i), timestamp: Date.now(), partition: 0 })),
        );
      }
      const only = onlyRecordsOf(log, name, 'you');
      const seen: number[] = [];
      for (let offset = 0; offset < keys.length;) {
        const fetched = await only.read({ topic: name, partition: 0, offset, maxRecords: 4, maxBytes: 1e6, waitMs: 0 });
        expect(fetched.nextOffset).toBeGreaterThan(offset);
        for (const record of fetched.records) {
          expect(record.key).toBe('you');
          seen.push(record.offset);
        }
        offset = fetched.nextOffset;
      }
      expect(seen).toEqual(keys.flatMap((key, i) => (key === 'you' ? [i] : [])));
      // Of other topics it shows everything.
      const other = await onlyRecordsOf(log, 'raw-x', 'you').read({
        topic: name,
        partition: 0,
        offset: 0,
        maxRecords: 99,
        maxBytes: 1e6,
        waitMs: 0,
      });
      expect(other.records.length).toBe(keys.length);
    }),
    { numRuns: 25 },
  );
});

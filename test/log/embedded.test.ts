import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import { eventLogContract } from '../contract/event-log.ts';

eventLogContract('embedded', { cleans: true, settleMs: 10_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'redactory-log-'));
  const [log, other] = [await openEmbeddedLog({ dir }), await openEmbeddedLog({ dir })];
  return {
    log,
    other,
    close: async () => {
      await Promise.all([log.close(), other.close()]);
      await rm(dir, { recursive: true });
    },
  };
});

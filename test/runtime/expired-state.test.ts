import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { OffsetOutOfRangeError } from '../../src/log/event-log.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { simulate } from '../../src/producers/simulator/index.ts';
import { createIngest } from '../../src/runtime/ingest.ts';
import { decodeMetadata, runSanitizer, type SanitizerSummary } from '../../src/runtime/sanitizer.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import { GROUPS, TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';

const START = Date.UTC(2026, 10, 10, 9);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe('raw records from which open sessions are rebuilt', () => {
  let dir: string;
  let workspace: Workspace;
  let now: number;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-expired-'));
    now = START;
    const config = await loadConfig({ env: {}, cwd: dir });
    workspace = await openWorkspace(config, {}, { now: () => now });
  });
  afterEach(async () => {
    await workspace.close();
    await rm(dir, { recursive: true });
  });

  async function record(seed: number, start: number): Promise<void> {
    const ingest = createIngest({ ...workspace, sealer: await workspace.sealer() });
    const subjectKey = await workspace.subjectKeys();
    for (const one of simulate({ people: 3, minutes: 3, seed, start, subjectKey, faults: { noEnd: 1 } })) {
      if (one.kind === 'consent') await ingest.decide(one.decision);
      else await ingest.capture(one.record);
    }
    await ingest.flush();
  }

  async function run(): Promise<SanitizerSummary> {
    const { log, codec, config } = workspace;
    const { policy, vocabulary } = await loadPolicy(config.policy);
    const tables = await workspace.controlTables(5000);
    const telemetry = createTelemetry(silentLogger);
    const subjectKey = await workspace.subjectKeys();
    return runSanitizer(
      {
        log,
        codec,
        policy,
        vocabulary,
        subjectKey,
        tables,
        telemetry,
        sealed: 'required',
        fetch: config.fetch,
        now: () => now,
      },
      { end: true, signal: AbortSignal.timeout(60_000) },
    );
  }

  const begins = async (): Promise<number> =>
    (await workspace.log.beginOffsets(TOPICS.raw)).reduce((sum, begin) => sum + begin, 0);

  it('may have expired in a quiet time: work goes on with what comes', async () => {
    await record(1, START);
    await run();
    now = START + 9 * DAY_MS;
    await workspace.log.clean(now);
    expect(await begins()).toBeGreaterThan(0);
    await record(2, now);
    const { batches, released } = await run();
    expect(batches).toBeGreaterThan(10);
    expect(released).toBeGreaterThan(0);
  });

  it('may not be gone while their sessions can go on', async () => {
    await record(1, START);
    await run();
    // As if somebody had shortened the retention: minutes after the last batch all is gone.
    await workspace.log.clean(START + 9 * DAY_MS);
    now = START + 5 * MINUTE_MS;
    await record(2, now);
    await expect(run()).rejects.toThrow(OffsetOutOfRangeError);
  });

  it('are not asked for where an operator has put the group', () => {
    expect(decodeMetadata('', 7)).toEqual({ offset: 7, time: 0, ledger: undefined });
  });

  it.each(['{"v":2}', 'another program'])(
    'cannot be found by a commit of another version (%s): work ends',
    async (metadata) => {
      await record(1, START);
      const producer = await workspace.log.transactional('another');
      const transaction = await producer.begin();
      await transaction.commitOffset(GROUPS.sanitize, { topic: TOPICS.raw, partition: 0 }, { offset: 0, metadata });
      await transaction.commit();
      await producer.close();
      await expect(run()).rejects.toThrow(/run the version that wrote it/u);
    },
  );
});

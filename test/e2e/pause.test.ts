import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type { LogRecord } from '../../src/log/event-log.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';
import { unsealAll } from '../helpers/sealing.ts';
import { openRaw } from '../simulation/oracle.ts';
import { buildCli, type Cli } from './cli.ts';

const PACE = 30;
/** Between its stamp and the log, a decision is on its way for a moment, in which the simulated time goes on. */
const STAMP_TO_LOG_MS = 30;

/**
 * The oracle reads the raw topic: of every batch of a person, when the trusted side received it; and the headers of the
 * sanitised topic, which say of which raw record each released batch comes.
 */
describe('a pause from another process, while a paced simulation and run work', () => {
  let cli: Cli;
  let dir: string;
  beforeAll(async () => {
    cli = await buildCli();
    dir = await mkdtemp(join(tmpdir(), 'redactory-pause-'));
  });
  afterAll(async () => {
    await cli.remove();
    await rm(dir, { recursive: true, force: true });
  });

  it('keeps everything out of the table that is received of that person after it', async () => {
    const workspace = await openWorkspace(await loadConfig({ env: {}, cwd: dir, data: dir }), {});
    try {
      // Faster than life, so stamps run ahead of the clock; a pause of 30 minutes lasts to the end of the ten simulated ones.
      const simulation = cli.start(
        [
          'simulate',
          '--people',
          '4',
          '--minutes',
          '10',
          '--pace',
          String(PACE),
          '--seed',
          '11',
          '--no-faults',
          '--data',
          dir,
        ],
        {},
      );
      const run = cli.start(['run', '--data', dir]);
      const subject = await someoneReleased(workspace);
      const decision = JSON.parse(
        await cli.run(['consent', 'pause', '--subject', subject, '--minutes', '30', '--json', '--data', dir]),
      ) as { decidedAt: string; until: string };
      expect(await simulation.ended).toBe(0);
      run.child.kill('SIGTERM');
      expect(await run.ended).toBe(0);
      await cli.run(['run', '--until-end', '--data', dir]);

      const [from, to] = [Date.parse(decision.decidedAt) + STAMP_TO_LOG_MS * PACE, Date.parse(decision.until)];
      const received = await receivedOf(workspace, subject);
      const releasedOf = await releasedSources(workspace);
      const released = received.filter(({ place }) => releasedOf.has(place));
      const paused = received.filter(({ receivedAt }) => receivedAt > from && receivedAt <= to);
      expect(paused.length).toBeGreaterThan(3);
      expect(released.length).toBeGreaterThan(0);
      expect(paused.filter(({ place }) => releasedOf.has(place))).toEqual([]);
    } finally {
      await workspace.close();
    }
  });
});

interface Received {
  readonly subject: string;
  readonly receivedAt: number;
  /** partition/offset on the raw topic. */
  readonly place: string;
}

/** Polls the log until a batch of somebody has been released, and says whose. */
async function someoneReleased(workspace: Workspace): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    const released = await releasedSources(workspace);
    const of = (await allReceived(workspace)).find(({ place }) => released.has(place));
    if (of !== undefined) return of.subject;
    const at = {
      topic: TOPICS.sanitized,
      partition: 0,
      offset: (await workspace.log.endOffsets(TOPICS.sanitized))[0] ?? 0,
    };
    await workspace.log.read({ ...at, maxRecords: 1, maxBytes: 1, waitMs: 200 });
  }
  throw new Error('nothing was released');
}

const receivedOf = async (workspace: Workspace, subject: string): Promise<Received[]> =>
  (await allReceived(workspace)).filter((batch) => batch.subject === subject);

async function allReceived(workspace: Workspace): Promise<Received[]> {
  return (await unsealAll(workspace, await readAll(workspace, TOPICS.raw))).map((record) => {
    const batch = openRaw(workspace.codec, record);
    if (batch === undefined) throw new Error('the simulation wrote a batch that does not open');
    const { subject, receivedAt } = batch;
    return { subject, receivedAt, place: `${record.partition}/${record.offset}` };
  });
}

async function releasedSources(workspace: Workspace): Promise<ReadonlySet<string>> {
  const records = await readAll(workspace, TOPICS.sanitized);
  return new Set(records.map(({ headers }) => `${headers['source-partition']}/${headers['source-offset']}`));
}

async function readAll({ log }: Workspace, topic: string): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (const [partition, end] of (await log.endOffsets(topic)).entries()) {
    let offset = 0;
    while (offset < end) {
      const fetched = await log.read({ topic, partition, offset, maxRecords: 1000, maxBytes: 1 << 24, waitMs: 0 });
      all.push(...fetched.records);
      offset = fetched.nextOffset;
    }
  }
  return all;
}

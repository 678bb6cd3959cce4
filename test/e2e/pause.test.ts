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

/** Batches of the person that are to come in after the pause. */
const AFTERWARDS = 5;

/**
 * The oracle reads the raw topic: of every batch of a person, where it lies and when the trusted side received it; and the
 * headers of the sanitised topic, which say of which raw record each released batch comes. What counts as after the pause
 * is what the log got after the command had ended: between a stamp and the log a machine may take its time.
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
      // Faster than life, so stamps run ahead of the clock; it ends when enough has come in.
      const simulation = cli.start(
        ['simulate', '--people', '4', '--minutes', '60', '--pace', '30', '--seed', '11', '--no-faults', '--data', dir],
        {},
      );
      const run = cli.start(['run', '--data', dir]);
      const subject = await someoneReleased(workspace);
      const decision = JSON.parse(
        await cli.run(['consent', 'pause', '--subject', subject, '--minutes', '30', '--json', '--data', dir]),
      ) as { decidedAt: string; until: string };
      const ends = await workspace.log.endOffsets(TOPICS.raw);
      const [from, to] = [Date.parse(decision.decidedAt), Date.parse(decision.until)];
      const whilePaused = async (): Promise<readonly Received[]> =>
        (await allReceived(workspace, ends)).filter(
          (batch) => batch.subject === subject && batch.receivedAt > from && batch.receivedAt <= to,
        );
      await waitFor(workspace, TOPICS.raw, async () => (await whilePaused()).length >= AFTERWARDS);
      simulation.child.kill('SIGTERM');
      await simulation.ended;
      run.child.kill('SIGTERM');
      expect(await run.ended).toBe(0);
      await cli.run(['run', '--until-end', '--data', dir]);

      const released = await releasedSources(workspace);
      const earlier = (await allReceived(workspace)).filter((batch) => batch.subject === subject);
      expect(earlier.some(({ place }) => released.has(place))).toBe(true);
      expect((await whilePaused()).filter(({ place }) => released.has(place))).toEqual([]);
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

/** Waits until a batch of somebody has been released, and says whose. */
async function someoneReleased(workspace: Workspace): Promise<string> {
  let subject: string | undefined;
  await waitFor(workspace, TOPICS.sanitized, async () => {
    const released = await releasedSources(workspace);
    subject = (await allReceived(workspace)).find(({ place }) => released.has(place))?.subject;
    return subject !== undefined;
  });
  if (subject === undefined) throw new Error('nobody was found');
  return subject;
}

/** Asks again whenever the topic's first partition gets a record, or a moment later. @throws Error after two minutes. */
async function waitFor({ log }: Workspace, topic: string, met: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await met()) return;
    const offset = (await log.endOffsets(topic))[0] ?? 0;
    await log.read({ topic, partition: 0, offset, maxRecords: 1, maxBytes: 1, waitMs: 200 });
  }
  throw new Error(`nothing of the kind came to ${topic}`);
}

/** All batches of the raw topic from these offsets on, one a partition. */
async function allReceived(workspace: Workspace, from: readonly number[] = []): Promise<Received[]> {
  return (await unsealAll(workspace, await readAll(workspace, TOPICS.raw, from))).map((record) => {
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

async function readAll({ log }: Workspace, topic: string, from: readonly number[] = []): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (const [partition, end] of (await log.endOffsets(topic)).entries()) {
    let offset = from[partition] ?? 0;
    while (offset < end) {
      const fetched = await log.read({ topic, partition, offset, maxRecords: 1000, maxBytes: 1 << 24, waitMs: 0 });
      all.push(...fetched.records);
      offset = fetched.nextOffset;
    }
  }
  return all;
}

import { Kafka, logLevel, type Admin } from 'kafkajs';
import { expect, it, onTestFinished } from 'vitest';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { OffsetOutOfRangeError } from '../../src/log/event-log.ts';
import { runSanitizer } from '../../src/runtime/sanitizer.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import { GROUPS, TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace } from '../../src/runtime/workspace.ts';
import { describeFaults, report } from './harness.ts';
import type { Line } from './line.ts';
import { metricOf } from './worker.ts';
import { FAULTS, told } from './told.ts';

/** No session of that time can go on. */
const LONG_MS = 3 * 3_600_000;

describeFaults('retention', (stage) => {
  it('that has passed the reader ends the worker with an error and a metric; nothing is skipped in silence', async () => {
    const { line, kafka } = await stage();
    const admin = await adminOf(kafka.brokers);
    const first = await line.simulate({ people: 4, minutes: 3 });
    const worker = line.start('run');
    await line.append(first.batches);
    await line.drained();
    await line.retire(worker);
    await line.remember();

    const unread = await line.simulate({ people: 4, minutes: 3 });
    await line.append(unread.batches);
    const committed = await line.positions('sanitize');
    await deleteAll(admin);

    const late = line.start('sanitize');
    expect(await late.ended).toBe(1);
    await told(late, 'retention');
    expect(await line.positions('sanitize')).toMatchObject(committed.map(({ committed: at }) => ({ committed: at })));
    const metrics = await metricsOfFailure(line);
    for (const series of FAULTS.retention.metrics) expect(metrics).toContain(`${series} 1`);
    expect(metricOf(metrics, 'redactory_raw_batches_total')).toBe(0);

    // As the page says to go on: from what is still there.
    await toBeginning(admin);
    const after = await line.simulate({ people: 4, minutes: 3 });
    line.start('run');
    await line.append(after.batches);
    await line.drained();
    report(`${unread.batches.length} raw batches had gone before they were read`);
    await line.finish('after retention had passed the reader');
  });

  it('that has passed what an idle group has done already is no error', async () => {
    const { line, kafka } = await stage();
    const admin = await adminOf(kafka.brokers);
    const { batches } = await line.simulate({ people: 4, minutes: 3, agoMs: LONG_MS });
    const worker = line.start('run');
    await line.append(batches);
    await line.drained();
    await line.retire(worker);
    await line.remember();
    await deleteAll(admin);

    const after = await line.simulate({ people: 4, minutes: 3 });
    line.start('run');
    await line.append(after.batches);
    const { counts } = await line.finish('after retention had passed an idle group');
    expect(counts['raw batches']).toBe(batches.length + after.batches.length);
  });
});

async function adminOf(brokers: readonly string[]): Promise<Admin> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  return admin;
}

/** All of the raw topic, as when its time is over. */
async function deleteAll(admin: Admin): Promise<void> {
  const ends = await admin.fetchTopicOffsets(TOPICS.raw);
  const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
  await admin.deleteTopicRecords({ topic: TOPICS.raw, partitions });
}

/** As `kafka-consumer-groups --reset-offsets --to-earliest` does: with no metadata. */
async function toBeginning(admin: Admin): Promise<void> {
  const begins = await admin.fetchTopicOffsets(TOPICS.raw);
  const partitions = begins.map(({ partition, low }) => ({ partition, offset: low }));
  await admin.setOffsets({ groupId: GROUPS.sanitize, topic: TOPICS.raw, partitions });
}

/** The same worker in this process: the metrics of one that ends can't be asked for any more. */
async function metricsOfFailure(line: Line): Promise<string> {
  const workspace = await openWorkspace(line.workspace.config, {}, { role: 'sanitizer' });
  try {
    const { log, codec, config, now } = workspace;
    const { policy, vocabulary } = await loadPolicy(config.policy);
    const tables = await workspace.controlTables(policy.consent.guardSeconds * 1000);
    const telemetry = createTelemetry(silentLogger);
    const subjectKey = await workspace.subjectKeys();
    const sealed = 'accepted' as const;
    const options = { log, codec, policy, vocabulary, subjectKey, tables, sealed, telemetry, fetch: config.fetch, now };
    const run = runSanitizer(options, { end: false, signal: AbortSignal.timeout(60_000) });
    await expect(run).rejects.toThrow(OffsetOutOfRangeError);
    return (await telemetry.render()).body;
  } finally {
    await workspace.close();
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCodec, type Codec } from '../../../src/events/codec.ts';
import type { AuditRecord } from '../../../src/events/control.ts';
import { DEFAULT_LIMITS } from '../../../src/events/limits.ts';
import { loadContracts, schemaIds } from '../../../src/events/schemas.ts';
import { loadZstd } from '../../../src/events/zstd.ts';
import { openEmbeddedLog } from '../../../src/log/embedded.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import { openKafkaLog } from '../../../src/log/kafka.ts';
import { LogUnavailableError } from '../../../src/log/kafka/errors.ts';
import { READERS_ENTRIES } from '../../../src/producers/gateway/spans.ts';
import { rawReadersSince } from '../../../src/runtime/audit-readers.ts';
import { audited, MAX_REASON, newRun, type AuditedWork, type AuditEntry } from '../../../src/runtime/audit.ts';
import { appendTo, BEFORE_FIRST, hashOf, verifyChain } from '../../../src/runtime/audit/chain.ts';
import { auditBounds, createTrail, decoded, readAudit, type TopicTrail } from '../../../src/runtime/audit/trail.ts';
import { verifyTrail } from '../../../src/runtime/audit/verify.ts';
import { TOPICS, topicSpecs } from '../../../src/runtime/topics.ts';
import { describeWithKafka, startKafka, type KafkaServer } from '../../servers/kafka.ts';

const SPECS = topicSpecs({
  partitions: 1,
  retentionDays: { raw: 1, sanitized: 1, quarantine: 1, audit: 3_650 },
}).filter(({ name }) => name === TOPICS.audit);
const ENTRY: AuditEntry = { what: 'keys rotate', stage: 'done', why: 'yearly', about: { rewrapped: 3 } };

let codec: Codec;
beforeAll(async () => {
  codec = createCodec({ zstd: await loadZstd(), schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });
});

const trailOn = (log: EventLog, now: () => number = () => 1_000): TopicTrail =>
  createTrail({ log, codec, now, account: () => 'op' });

async function recordsOn(log: EventLog): Promise<readonly AuditRecord[]> {
  const records: AuditRecord[] = [];
  for await (const { key, value } of readAudit(log, ...(await auditBounds(log)))) {
    const record = decoded(codec, value);
    if (record === null) throw new Error('not a record of the trail');
    expect(key).toBe(String(record.sequence));
    records.push(record);
  }
  return records;
}

const findingsOn = async (log: EventLog): Promise<unknown> =>
  verifyChain((await recordsOn(log)).map((record) => ({ key: String(record.sequence), record }))).findings;

describe('the trail on the embedded log', () => {
  let dir: string;
  let log: EventLog;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-trail-'));
    log = await openEmbeddedLog({ dir });
    await log.createTopics(SPECS);
  });
  afterEach(async () => {
    await log.close();
    await rm(dir, { recursive: true });
  });

  it('holds what was recorded, with the keys of what it is about in order', async () => {
    const trail = trailOn(log);
    await trail.record({ ...ENTRY, about: { b: 1, a: 'x' } });
    await trail.record({ ...ENTRY, stage: 'failed', run: 'same' });
    expect(await recordsOn(log)).toMatchObject([
      {
        sequence: 0,
        at: 1_000,
        who: 'op',
        what: 'keys rotate',
        stage: 'done',
        why: 'yearly',
        about: '{"a":"x","b":1}',
      },
      { sequence: 1, stage: 'failed', run: 'same' },
    ]);
    expect(await findingsOn(log)).toEqual([]);
  });

  it('bounds what is written, and keeps only text that comes back as it was', async () => {
    const long = 'ä'.repeat(MAX_REASON + 1);
    await trailOn(log).record({ ...ENTRY, why: long, about: { text: '\ud800', long } });
    const [record] = await recordsOn(log);
    expect(record?.why).toHaveLength(MAX_REASON);
    expect(JSON.parse(record?.about ?? '')).toEqual({ long: long.slice(1), text: '\ufffd' });
    expect(await findingsOn(log)).toEqual([]);
  });

  it('goes on where another process has ended it', async () => {
    for (let i = 0; i < 40; i++) await trailOn(log).record(ENTRY);
    expect((await recordsOn(log)).map(({ sequence }) => sequence)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(await findingsOn(log)).toEqual([]);
  });

  it('is one chain however many write to it at once', { timeout: 60_000 }, async () => {
    const others = await Promise.all(Array.from({ length: 5 }, () => openEmbeddedLog({ dir })));
    const trails = [log, ...others].map((one) => trailOn(one));
    await Promise.all(
      trails.flatMap((trail, i) => Array.from({ length: 8 }, (_, n) => trail.record({ ...ENTRY, why: `${i}/${n}` }))),
    );
    const records = await recordsOn(log);
    expect(await findingsOn(log)).toEqual([]);
    expect(new Set(records.map(({ why }) => why)).size).toBe(48);
    expect(records).toHaveLength(48);
    for (const other of others) await other.close();
  });

  it('reads what it does not know yet, and no more', async () => {
    const reads: number[] = [];
    const counted = watching(log, { onRead: (offset) => reads.push(offset) });
    for (let i = 0; i < 100; i++) await log.append(TOPICS.audit, [junk]);
    const [a, b] = [trailOn(counted), trailOn(log)];
    await a.record(ENTRY);
    reads.length = 0;
    for (let i = 0; i < 20; i++) await a.record(ENTRY);
    expect(reads).toEqual([]);
    await b.record(ENTRY);
    await a.record(ENTRY);
    expect(reads).toEqual([100]);
  });

  it('looks whether a record is there whose commit was not answered', async () => {
    for (const when of ['before', 'after'] as const) {
      let lost = 0;
      const losing = watching(log, {
        onCommit: async (commit) => {
          if (when === 'after' || lost > 0) await commit();
          if (lost++ === 0) throw new LogUnavailableError('no answer');
        },
      });
      await trailOn(losing).record({ ...ENTRY, why: when });
    }
    expect((await recordsOn(log)).map(({ why }) => why)).toEqual(['before', 'after']);
    expect(await findingsOn(log)).toEqual([]);
  });

  it('does not take the change of a policy for the end of the work that brought it', async () => {
    let commits = 0;
    const losing = watching(log, {
      onCommit: (commit) => (++commits === 3 ? Promise.reject(new LogUnavailableError('no answer')) : commit()),
    });
    const trail = trailOn(losing);
    for (const policy of ['one', 'two']) {
      await trail.record({ ...ENTRY, what: 'run', run: policy, stage: 'started', about: { policy } });
    }
    await trail.record({ ...ENTRY, what: 'run', run: 'two' });
    expect((await recordsOn(log)).map(({ what, stage }) => `${what} ${stage}`)).toEqual([
      'run started',
      'policy change done',
      'run started',
      'run done',
    ]);
  });

  it('fails when the log does, and the work is not begun', async () => {
    const down = watching(log, { onCommit: () => Promise.reject(new LogUnavailableError('away')) });
    let begun = false;
    const work = audited(trailOn(down), ENTRY, async () => {
      begun = true;
    });
    await expect(work).rejects.toThrow('away');
    expect(begun).toBe(false);
    expect(await recordsOn(log)).toEqual([]);
  });

  it('goes on when one record could not be written', async () => {
    let tries = 0;
    const once = watching(log, {
      onCommit: (commit) => (tries++ < 4 ? Promise.reject(new LogUnavailableError('away')) : commit()),
    });
    const trail = trailOn(once);
    const results = await Promise.allSettled([trail.record(ENTRY), trail.record({ ...ENTRY, why: 'second' })]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect((await recordsOn(log)).map(({ why }) => why)).toEqual(['second']);
  });

  it('says how to make the topic', async () => {
    const empty = await openEmbeddedLog({ dir: join(dir, 'empty') });
    await expect(trailOn(empty).record(ENTRY)).rejects.toThrow('redactory topics apply');
    await empty.close();
  });

  it('notes under another policy than the last work that it has changed', async () => {
    const started = (what: AuditedWork, policy: string): AuditEntry => ({
      ...ENTRY,
      what,
      stage: 'started',
      about: { policy },
    });
    const trail = trailOn(log);
    await trail.record(started('sanitize', 'one'));
    await trail.record(started('vocabulary build', 'other'));
    await trail.record(started('run', 'one'));
    for (let i = 0; i < 30; i++) await trail.record(ENTRY);
    await trailOn(log).record(started('run', 'one'));
    await trailOn(log).record(started('sanitize', 'two'));
    await trail.record(started('run', 'one'));
    const records = (await recordsOn(log)).filter(({ what }) => what !== ENTRY.what);
    expect(records.map(({ what, about }) => `${what} ${about}`)).toEqual([
      'sanitize {"policy":"one"}',
      'vocabulary build {"policy":"other"}',
      'run {"policy":"one"}',
      'run {"policy":"one"}',
      'policy change {"from":"one","to":"two"}',
      'sanitize {"policy":"two"}',
      'policy change {"from":"two","to":"one"}',
      'run {"policy":"one"}',
    ]);
    expect(await findingsOn(log)).toEqual([]);
  });

  it('goes on after records that cannot be read, and after those that have expired', async () => {
    let now = 0;
    const trail = trailOn(log, () => now);
    await trail.record(ENTRY);
    await log.append(TOPICS.audit, [junk]);
    await trailOn(log, () => now).record({ ...ENTRY, why: 'after junk' });
    now = 4_000 * 86_400_000;
    await trail.record({ ...ENTRY, why: 'late' });
    await log.clean(now);
    await trailOn(log, () => now).record({ ...ENTRY, why: 'last' });
    await trail.record({ ...ENTRY, why: 'very last' });
    expect((await recordsOn(log)).map(({ sequence, why }) => `${sequence} ${why}`)).toEqual([
      '2 late',
      '3 last',
      '4 very last',
    ]);
  });

  it('goes on behind all its records when they have expired: none has the place of one before it', async () => {
    let now = 0;
    const trail = trailOn(log, () => now);
    for (let i = 0; i < 3; i++) await trail.record(ENTRY);
    const before = await recordsOn(log);
    const anchors = before.map(({ sequence, hash, at }) => ({ sequence, hash, at }));
    now = 4_000 * 86_400_000;
    await log.clean(now);
    expect(await recordsOn(log)).toEqual([]);
    await trailOn(log, () => now).record({ ...ENTRY, why: 'later' });
    await trailOn(log, () => now).record({ ...ENTRY, why: 'last' });
    const [later, last] = await recordsOn(log);
    expect([later?.why, last?.why]).toEqual(['later', 'last']);
    expect(later?.sequence).toBeGreaterThan(before.at(-1)?.sequence ?? 0);
    expect(last).toMatchObject({ sequence: (later?.sequence ?? 0) + 1, previous: later?.hash });
    expect(await verifyTrail({ log, codec }, { anchors, keptSince: 1 })).toMatchObject({ findings: [], expired: 3 });
  });

  it('is not whole where its records were removed and it begins with 0 again', async () => {
    const trail = trailOn(log, () => 0);
    for (let i = 0; i < 3; i++) await trail.record(ENTRY);
    await log.clean(4_000 * 86_400_000);
    const forged = appendTo(null, UNCHAINED);
    await log.append(TOPICS.audit, [{ key: '0', value: codec.encodeAudit(forged), timestamp: 0 }]);
    const { findings } = await verifyTrail({ log, codec }, { anchors: [], keptSince: 0 });
    expect(findings).toMatchObject([{ kind: 'rewritten', sequence: 0 }]);
  });

  it('begins anew from the end when what it had not read has expired', async () => {
    let now = 0;
    const [slow, other] = [trailOn(log, () => now), trailOn(log, () => now)];
    await slow.record(ENTRY);
    await other.record(ENTRY);
    await other.record(ENTRY);
    now = 4_000 * 86_400_000;
    await other.record(ENTRY);
    await log.clean(now);
    await slow.record(ENTRY);
    expect((await recordsOn(log)).map(({ sequence }) => sequence)).toEqual([3, 4]);
  });

  it('takes no record for one of its own that has a place before the first', async () => {
    const forged = { ...appendTo({ sequence: -2, hash: '' }, UNCHAINED), previous: BEFORE_FIRST };
    const value = codec.encodeAudit({ ...forged, hash: hashOf(forged) });
    expect(decoded(codec, value)).toBeNull();
    await log.append(TOPICS.audit, [{ ...junk, value }]);
    await trailOn(log).record(ENTRY);
    const [begin, end] = await auditBounds(log);
    const last: (AuditRecord | null)[] = [];
    for await (const record of readAudit(log, begin, end)) last.push(decoded(codec, record.value));
    expect(last).toMatchObject([null, { sequence: 0 }]);
  });

  it('tells who has read raw data', async () => {
    let now = 0;
    const trail = trailOn(log, () => now);
    const run = newRun();
    for (const what of ['sanitize', 'keys rotate', 'inspect raw', 'vocabulary build'] as const) {
      now += 100;
      await trail.record({ ...ENTRY, what, stage: 'started', run });
      await trail.record({ ...ENTRY, what, run });
    }
    expect(await rawReadersSince(log, codec, 150)).toEqual([
      { at: 400, who: 'op', what: 'vocabulary build', why: 'yearly' },
      { at: 300, who: 'op', what: 'inspect raw', why: 'yearly' },
    ]);
    for (now = 1_000; now < 1_000 + 2 * READERS_ENTRIES; now++) {
      await trail.record({ ...ENTRY, what: 'replay', stage: 'started' });
    }
    const many = await rawReadersSince(log, codec, 0);
    expect(many).toHaveLength(READERS_ENTRIES);
    expect(many[0]?.at).toBe(now - 1);
  });
});

const UNCHAINED = { at: 0, run: '00', who: 'op', what: 'keys list', stage: 'done', why: '', about: '{}' } as const;
const junk = { key: 'x', value: new Uint8Array([1, 2, 3]), timestamp: 0, partition: 0 };

/** The same log, with reads told and commits in the test's hands. */
function watching(
  log: EventLog,
  {
    onRead = () => {},
    onCommit = (commit) => commit(),
  }: {
    readonly onRead?: (offset: number) => void;
    readonly onCommit?: (commit: () => Promise<void>) => Promise<void>;
  },
): EventLog {
  const transactional: EventLog['transactional'] = async (id) => {
    const producer = await log.transactional(id);
    const begin: typeof producer.begin = async () => {
      const transaction = await producer.begin();
      return {
        append: (topic, records) => transaction.append(topic, records),
        commitOffset: (group, at, position) => transaction.commitOffset(group, at, position),
        commit: () => onCommit(() => transaction.commit()),
        abort: () => transaction.abort(),
      };
    };
    return { transactionalId: id, begin, close: () => producer.close() };
  };
  const read: EventLog['read'] = (request) => {
    onRead(request.offset);
    return log.read(request);
  };
  const own = { transactional, read };
  return new Proxy(log, {
    get(target, name) {
      if (name === 'transactional' || name === 'read') return own[name];
      const found: unknown = Reflect.get(target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
}

describeWithKafka('the trail on a Kafka cluster', () => {
  let kafka: KafkaServer;
  const logs: EventLog[] = [];
  const open = async (): Promise<EventLog> => {
    const log = await openKafkaLog({
      brokers: kafka.brokers,
      clientId: 'test',
      compression: 'none',
      sessionTimeoutMs: 6_000,
      transactionTimeoutMs: 3_000,
      requestTimeoutMs: 30_000,
    });
    logs.push(log);
    return log;
  };
  beforeAll(async () => {
    kafka = await startKafka();
    await (await open()).createTopics(SPECS);
  });
  afterAll(async () => {
    for (const log of logs) await log.close();
    await kafka.close();
  });

  it('is one chain however many write to it at once, and tells who read', { timeout: 120_000 }, async () => {
    const trails = await Promise.all(Array.from({ length: 4 }, async () => trailOn(await open())));
    const [log] = logs;
    if (log === undefined) throw new Error('no log');
    await Promise.all(
      trails.flatMap((trail, i) =>
        Array.from({ length: 5 }, (_, n) =>
          trail.record({ ...ENTRY, what: 'sanitize', stage: 'started', why: `${i}/${n}` }),
        ),
      ),
    );
    const records = await recordsOn(log);
    expect(records.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(new Set(records.map(({ why }) => why)).size).toBe(20);
    expect(await findingsOn(log)).toEqual([]);
    // Behind the last record is the marker of its transaction.
    await trailOn(await open()).record(ENTRY);
    expect(await recordsOn(log)).toHaveLength(21);
    expect(await rawReadersSince(log, codec, 0)).toHaveLength(20);
  });
});

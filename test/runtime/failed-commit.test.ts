import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { FencedError, type EventLog } from '../../src/log/event-log.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { runSanitizer } from '../../src/runtime/sanitizer.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import { GROUPS, TOPICS } from '../../src/runtime/topics.ts';
import type { SpanFacts, Traces } from '../../src/runtime/traces.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';

describe('a commit that fails when nothing more comes', () => {
  let dir: string;
  let workspace: Workspace;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-commit-'));
    workspace = await openWorkspace(await loadConfig({ env: {}, cwd: dir }), {});
  });
  afterEach(async () => {
    await workspace.close();
    await rm(dir, { recursive: true });
  });

  it('is made up for all the same', { timeout: 20_000 }, async () => {
    // Keys are made before there are records that need them.
    const subjectKey = await workspace.subjectKeys();
    const tables = await workspace.controlTables(5000);
    const at = { topic: TOPICS.raw, partition: 0 };
    await workspace.log.append(at.topic, [{ key: 'k', value: Buffer.from('no batch'), timestamp: 0, partition: 0 }]);
    const { codec, config, now } = workspace;
    const { policy, vocabulary } = await loadPolicy(config.policy);
    const telemetry = createTelemetry(silentLogger);
    const spans: SpanFacts[] = [];
    const traces: Traces = {
      start: () => ({ headers: {}, end: (facts) => void spans.push(facts) }),
      close: async () => {},
    };
    const line = { codec, policy, vocabulary, subjectKey, tables, telemetry, traces, now };
    const stop = new AbortController();
    const log = committing(workspace.log, (commits) => {
      if (commits === 1) throw new FencedError('as if another had taken over');
      stop.abort();
    });
    await runSanitizer(
      { ...line, log, sealed: 'required', fetch: config.fetch },
      { end: false, signal: AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]) },
    );
    expect(await workspace.log.committed(GROUPS.sanitize, at)).toMatchObject({ offset: 1 });
    expect(spans).toEqual([
      { outcome: 'failed', partition: 0 },
      expect.objectContaining({ outcome: 'done', partition: 0, records: 1 }),
    ]);
  });
});

/** The same log; `onCommit` hears of each commit, from 1, before it is made. */
function committing(log: EventLog, onCommit: (commits: number) => void): EventLog {
  let commits = 0;
  const transactional: EventLog['transactional'] = async (id) => {
    const producer = await log.transactional(id);
    const begin: typeof producer.begin = async () => {
      const transaction = await producer.begin();
      const commit = async (): Promise<void> => {
        onCommit(++commits);
        await transaction.commit();
      };
      return {
        append: (topic, records) => transaction.append(topic, records),
        commitOffset: (group, at, position) => transaction.commitOffset(group, at, position),
        commit,
        abort: () => transaction.abort(),
      };
    };
    return { transactionalId: id, begin, close: () => producer.close() };
  };
  return new Proxy(log, {
    get(target, name) {
      if (name === 'transactional') return transactional;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

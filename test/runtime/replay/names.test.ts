import { describe, expect, it } from 'vitest';
import { replayNames, replayTable, replayTopics } from '../../../src/runtime/replay/names.ts';
import { GROUPS, TOPICS } from '../../../src/runtime/topics.ts';

describe("a replay's names", () => {
  it('are none of the live ones, nor of another replay', () => {
    const [one, other] = [replayNames('a'), replayNames('b')];
    const all = [one, other].flatMap(({ sanitizer, sink }) => [sanitizer.group, sink.group]);
    const topics = [one, other].flatMap(({ sanitizer }) => [sanitizer.sanitized, sanitizer.quarantine]);
    const live = new Set<string>([...Object.values(GROUPS), ...Object.values(TOPICS)]);
    expect(new Set([...all, ...topics]).size).toBe(8);
    expect([...all, ...topics].filter((name) => live.has(name))).toEqual([]);
    expect(one.sink.sanitized).toBe(one.sanitizer.sanitized);
    expect(one.sanitizer.raw).toBe(TOPICS.raw);
  });

  it.each(['a', '0', 'a-b', 'x'.repeat(41)])('may be %s', (name) => {
    expect(replayNames(name).manifestId).toBe(`replay/${name}`);
  });

  it.each(['', '-a', 'A', 'a b', 'a/b', '..', 'a.b', 'x'.repeat(42)])('may not be "%s"', (name) => {
    expect(() => replayNames(name)).toThrow('a replay is named by');
  });

  it('put its table beside the live one, in a folder or a bucket', () => {
    expect(replayTable('/data/table', 'a')).toBe('/data/table-replays/a');
    expect(replayTable('s3://bucket/path/', 'a')).toBe('s3://bucket/path-replays/a');
  });

  it('keep its topics longer by the age of what is replayed', () => {
    const live = { partitions: 6, retentionDays: { sanitized: 90, quarantine: 30 } };
    const day = 86_400_000;
    expect(replayTopics('a', live, 5 * day)).toEqual([
      { name: 'interactions.sanitized.a', partitions: 6, cleanup: { kind: 'delete', retentionMs: 97 * day } },
      { name: 'interactions.quarantine.a', partitions: 1, cleanup: { kind: 'delete', retentionMs: 35 * day } },
    ]);
  });
});

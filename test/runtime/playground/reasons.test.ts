import { describe, expect, it } from 'vitest';
import { DROP_REASONS, QUARANTINE_REASONS } from '../../../src/events/outcome.ts';
import { RAW_KINDS } from '../../../src/events/raw.ts';
import { ACTIONS } from '../../../src/events/released.ts';
import { PLACEHOLDERS } from '../../../src/privacy/public-text.ts';
import { playgroundPolicy } from '../../../src/runtime/playground/processors.ts';
import { PLAYGROUND_POLICIES, RAW_PARTS } from '../../../src/runtime/playground/protocol.ts';
import {
  columnReasons,
  DROPPED,
  lossesOf,
  PLACEHOLDER_REASONS,
  QUARANTINED,
  rawReasons,
  WAITING,
} from '../../../src/runtime/playground/reasons.ts';
import { COLUMNS } from '../../../src/sinks/columns.ts';

/** One or more whole sentences. */
const SENTENCES = /^\P{Ll}[^]{10,}[.:]?\.$/u;
const policyOf = async (name: (typeof PLAYGROUND_POLICIES)[number]) => (await playgroundPolicy(name)).policy;

describe('why something is lost', () => {
  it.each(DROP_REASONS)('is told of the drop reason %s', (reason) => {
    expect(DROPPED[reason].why).toMatch(SENTENCES);
    for (const kind of DROPPED[reason].kinds) expect([...RAW_KINDS, 'unknown']).toContain(kind);
  });

  it.each(QUARANTINE_REASONS)('is told of the quarantine reason %s', (reason) => {
    expect(QUARANTINED[reason]).toMatch(SENTENCES);
  });

  it.each(PLACEHOLDERS)('is told of the placeholder %s, by its name', (placeholder) => {
    expect(PLACEHOLDER_REASONS[placeholder]?.startsWith(`${placeholder}: `)).toBe(true);
    expect(PLACEHOLDER_REASONS[placeholder]).toMatch(/\S{3,} \S+.*\.$/u);
    expect(PLACEHOLDER_REASONS[placeholder]).not.toContain('undefined');
  });

  it('is never told in the same words of two drop reasons or placeholders', () => {
    for (const texts of [Object.values(DROPPED).map(({ why }) => why), Object.values(PLACEHOLDER_REASONS)]) {
      expect(new Set(texts).size).toBe(texts.length);
    }
  });

  it('is told of what waits', () => expect(WAITING).toMatch(SENTENCES));

  describe.each(PLAYGROUND_POLICIES)('under %s', (name) => {
    it('is told of every column of the table', async () => {
      const reasons = columnReasons(await policyOf(name));
      for (const column of COLUMNS)
        expect([column.name, reasons[column.name]]).toEqual([column.name, expect.stringMatching(SENTENCES)]);
      expect(Object.keys(reasons).toSorted()).toEqual(COLUMNS.map((column) => column.name).toSorted());
    });

    it('is told of every action and every part of a raw event', async () => {
      const policy = await policyOf(name);
      const losses = lossesOf(policy);
      for (const action of ACTIONS) {
        expect(losses[action].length).toBeGreaterThan(0);
        for (const { what, why } of losses[action]) {
          expect(what).toMatch(/^[a-z ]+$/u);
          expect(why).toMatch(SENTENCES);
        }
      }
      const raw = rawReasons(policy);
      for (const part of RAW_PARTS) expect(raw[part]).toMatch(SENTENCES);
    });
  });

  it('follows the settings of the policy, column by column', async () => {
    const strict = await policyOf('strict');
    const withColumns = (change: Partial<typeof strict.columns>) => ({
      ...strict,
      columns: { ...strict.columns, ...change },
    });
    const off = columnReasons(strict).subject;
    expect(columnReasons(strict).cell).toBe(off);
    expect(columnReasons(withColumns({ subject: 'pseudonym' })).subject).not.toBe(off);
    expect(columnReasons(withColumns({ cell: '3x3' })).cell).not.toBe(off);
    expect(lossesOf(withColumns({ cell: '3x3' })).click).not.toEqual(lossesOf(strict).click);
    expect(lossesOf(withColumns({ pause: 'coarse' })).type).not.toEqual(lossesOf(strict).type);
    for (const column of [
      'app',
      'window',
      'url',
      'target',
      'target_role',
      'key',
      'button',
      'direction',
      'length',
      'count',
    ] as const) {
      expect(columnReasons(strict)[column]).not.toBe(off);
      expect(columnReasons(withColumns({ [column]: 'none' }))[column]).toBe(off);
    }
    expect(columnReasons(withColumns({ window: 'recognizers' })).window).toContain('weaker');
  });
});

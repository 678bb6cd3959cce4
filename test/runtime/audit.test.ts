import { describe, expect, it } from 'vitest';
import { audited, auditTo, type AuditEntry } from '../../src/runtime/audit.ts';

const ENTRY = { what: 'vocabulary build' as const, why: 'a review', about: { policy: 'sha256:1' } };

function trail(): { readonly entries: AuditEntry[]; readonly record: (entry: AuditEntry) => Promise<void> } {
  const entries: AuditEntry[] = [];
  return { entries, record: async (entry) => void entries.push(entry) };
}

describe('audited work', () => {
  it('is recorded before it begins and after it has ended, with what is known by then', async () => {
    const { entries, record } = trail();
    const result = await audited(
      { record },
      ENTRY,
      async () => entries.length,
      (n) => ({ entries: n }),
    );
    expect(result).toBe(1);
    const run = entries[0]?.run;
    expect(run).toMatch(/^[0-9a-f]{16}$/u);
    expect(entries).toEqual([
      { ...ENTRY, stage: 'started', run },
      { ...ENTRY, stage: 'done', run, about: { policy: 'sha256:1', entries: 1 } },
    ]);
  });

  it('that fails is recorded as failed, and fails', async () => {
    const { entries, record } = trail();
    const failing = audited(
      { record },
      ENTRY,
      () => Promise.reject(new Error('full disk')),
      () => ({}),
    );
    await expect(failing).rejects.toThrow('full disk');
    expect(entries.map(({ stage }) => stage)).toEqual(['started', 'failed']);
  });

  it('that fails says why, even if that cannot be recorded', async () => {
    const { entries, record } = trail();
    const ending = {
      record: async (entry: AuditEntry) => (entries.length > 0 ? Promise.reject(new Error('away')) : record(entry)),
    };
    await expect(audited(ending, ENTRY, () => Promise.reject(new Error('full disk')))).rejects.toThrow('full disk');
  });

  it('is not begun when it cannot be recorded', async () => {
    let begun = false;
    const work = async (): Promise<void> => {
      begun = true;
    };
    const refusing = { record: () => Promise.reject(new Error('no audit')) };
    await expect(audited(refusing, ENTRY, work, () => ({}))).rejects.toThrow('no audit');
    expect(begun).toBe(false);
  });
});

it('a line of the trail says who, what, when and why, as JSON', async () => {
  const lines: string[] = [];
  const { record } = auditTo((line) => lines.push(line), { now: () => 0, account: () => 'op' });
  await record({ ...ENTRY, stage: 'started' });
  expect(lines).toEqual([
    '{"audit":"vocabulary build","stage":"started","time":"1970-01-01T00:00:00.000Z","who":"op","why":"a review","policy":"sha256:1"}\n',
  ]);
});

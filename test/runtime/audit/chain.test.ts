import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUDIT_STAGES, type AuditRecord } from '../../../src/events/control.ts';
import {
  appendTo,
  BEFORE_FIRST,
  hashOf,
  headAfterCut,
  verifyChain,
  type Anchor,
  type Link,
  type Unchained,
} from '../../../src/runtime/audit/chain.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const entry: fc.Arbitrary<Unchained> = fc.record({
  at: fc.nat(),
  run: text,
  who: text,
  what: text,
  stage: fc.constantFrom(...AUDIT_STAGES),
  why: text,
  about: text,
});
const chain = (min: number): fc.Arbitrary<readonly AuditRecord[]> =>
  fc.array(entry, { minLength: min, maxLength: 8 }).map(chained);

function chained(entries: readonly Unchained[]): readonly AuditRecord[] {
  const records: AuditRecord[] = [];
  for (const one of entries) records.push(appendTo(records.at(-1) ?? null, one));
  return records;
}

const linksOf = (records: readonly AuditRecord[]): readonly Link[] =>
  records.map((record) => ({ key: String(record.sequence), record }));
const kindsOf = (records: readonly AuditRecord[], anchors: readonly Anchor[] = []): readonly string[] =>
  verifyChain(linksOf(records), { anchors }).findings.map(({ kind }) => kind);
const anchorOf = ({ sequence, hash, at }: AuditRecord): Anchor => ({ sequence, hash, at });

/** A chain, and the place of one of its records. */
const placeIn = (min: number): fc.Arbitrary<{ records: readonly AuditRecord[]; i: number }> =>
  chain(min).chain((records) => fc.nat(records.length - 1).map((i) => ({ records, i })));

describe('a chain', () => {
  it('begins with zeros; each record holds the hash of the one before', () => {
    const [first, second] = chained([ENTRY, ENTRY]);
    expect(first).toMatchObject({ sequence: 0, previous: BEFORE_FIRST });
    expect(second).toMatchObject({ sequence: 1, previous: first?.hash });
  });

  it('has the hash that it has always had', () => {
    // Of ["redactory-audit-1",0,"000...","op",...], by another program.
    expect(appendTo(null, ENTRY).hash).toBe('d69ed650fa5c5e2af2feb1c169e3289cf5c41ca52f186049fde8cebd2ee7cb1c');
  });

  it('as it was written has no findings', () => {
    fc.assert(
      fc.property(chain(0), (records) => {
        const verdict = verifyChain(linksOf(records), { anchors: records.map(anchorOf) });
        expect(verdict).toMatchObject({ findings: [], anchored: records.length, expired: 0 });
        expect(verdict.head?.sequence).toBe(records.at(-1)?.sequence);
      }),
    );
  });
});

const ENTRY: Unchained = {
  at: 1_796_000_000_000,
  run: '00112233aabbccdd',
  who: 'op',
  what: 'keys rotate',
  stage: 'started',
  why: 'yearly',
  about: '{}',
};

describe('what is found', () => {
  const fields = ['sequence', 'previous', 'at', 'run', 'who', 'what', 'stage', 'why', 'about', 'hash'] as const;
  const changed = (record: AuditRecord, field: (typeof fields)[number]): AuditRecord => {
    if (field === 'sequence' || field === 'at') return { ...record, [field]: record[field] + 1 };
    if (field === 'stage') return { ...record, stage: record.stage === 'done' ? 'failed' : 'done' };
    return { ...record, [field]: `${record[field]}x` };
  };

  it.each(fields)('a change of %s', (field) => {
    fc.assert(
      fc.property(placeIn(1), ({ records, i }) => {
        const tampered = records.map((record, j) => (i === j ? changed(record, field) : record));
        expect(kindsOf(tampered)).toContain('altered');
      }),
    );
  });

  it('a change of content with a hash to match, unless it is the last record and nobody has anchored it', () => {
    fc.assert(
      fc.property(placeIn(2), ({ records, i }) => {
        const tampered = records.map((record, j) => {
          if (i !== j) return record;
          const other = { ...record, why: `${record.why}x` };
          return { ...other, hash: hashOf(other) };
        });
        expect(kindsOf(tampered)).toEqual(i < records.length - 1 ? ['altered'] : []);
        expect(kindsOf(tampered, records.map(anchorOf))).toContain('rewritten');
      }),
    );
  });

  it('a removal in the middle or at the start', () => {
    fc.assert(
      fc.property(placeIn(2), ({ records, i }) => {
        fc.pre(i < records.length - 1);
        const { findings } = verifyChain(linksOf(records.filter((_, j) => j !== i)));
        expect(findings).toMatchObject([{ kind: 'missing', sequence: i, to: null }]);
      }),
    );
  });

  it('a removal at the end, with an anchor', () => {
    fc.assert(
      fc.property(placeIn(1), ({ records, i }) => {
        const left = records.slice(0, i);
        expect(kindsOf(left)).toEqual([]);
        expect(kindsOf(left, records.map(anchorOf))).toContain('missing');
      }),
    );
  });

  it('two records that have changed places', () => {
    fc.assert(
      fc.property(placeIn(2), fc.nat(), ({ records, i }, step) => {
        const j = (i + 1 + (step % (records.length - 1))) % records.length;
        const swapped = records.map((record, at) => (at === i ? records[j] : at === j ? records[i] : record) ?? record);
        const kinds = kindsOf(swapped);
        expect(kinds).toContain('reordered');
        expect(new Set(kinds)).toEqual(new Set(['reordered']));
      }),
    );
  });

  it('a record that is there twice, and two for one place', () => {
    fc.assert(
      fc.property(placeIn(1), ({ records, i }) => {
        const record = records[i] ?? appendTo(null, ENTRY);
        expect(kindsOf([...records, record])).toEqual(['doubled']);
        const before = records[i - 1] ?? null;
        const other = appendTo(before, { ...record, why: `${record.why}x` });
        expect(kindsOf([...records, other])).toEqual(['forked']);
      }),
    );
  });

  it('a chain that was written anew, with an anchor of the old one', () => {
    fc.assert(
      fc.property(placeIn(1), ({ records, i }) => {
        const anew = chained(records.map((record) => ({ ...record, who: `${record.who}x` })));
        expect(kindsOf(anew)).toEqual([]);
        expect(kindsOf(anew, records.slice(i, i + 1).map(anchorOf))).toEqual(['rewritten']);
      }),
    );
  });

  it('what cannot be read, and the key of another record', () => {
    const [first, second] = linksOf(chained([ENTRY, ENTRY])) as [Link, Link];
    const unreadable = verifyChain([first, { key: '1', record: null }]);
    expect(unreadable.findings).toMatchObject([{ kind: 'altered', sequence: null }]);
    expect(verifyChain([first, { ...second, key: '7' }]).findings).toMatchObject([{ kind: 'altered', sequence: 1 }]);
  });
});

describe('a log that has removed what was old', () => {
  const records = chained(Array.from({ length: 6 }, (_, i) => ({ ...ENTRY, at: i * 100 })));
  const left = linksOf(records.slice(3));

  it('begins later, and says so; only a cut log may', () => {
    expect(verifyChain(left, { isCut: true })).toMatchObject({ findings: [], first: 3 });
    expect(verifyChain(left)).toMatchObject({ findings: [{ kind: 'missing', sequence: 0, to: 2 }] });
  });

  it('has removed nothing before its time, as anchors tell', () => {
    const anchors = records.map(anchorOf);
    expect(verifyChain(left, { isCut: true, anchors, keptSince: 250 })).toMatchObject({
      findings: [],
      anchored: 3,
      expired: 3,
    });
    expect(verifyChain(left, { isCut: true, anchors, keptSince: 200 }).findings).toMatchObject([
      { kind: 'missing', sequence: 2 },
    ]);
    expect(verifyChain([], { isCut: true, anchors, keptSince: 600 })).toMatchObject({ findings: [], expired: 6 });
    // All have left, and it goes on.
    const onwards = linksOf([appendTo(headAfterCut(20), ENTRY)]);
    expect(verifyChain(onwards, { isCut: true, anchors, keptSince: 600 })).toMatchObject({
      findings: [],
      expired: 6,
      first: 20,
    });
    expect(verifyChain(onwards, { isCut: false }).findings).toMatchObject([{ kind: 'missing', sequence: 0, to: 19 }]);
  });
});

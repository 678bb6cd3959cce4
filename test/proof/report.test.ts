import { describe, expect, it } from 'vitest';
import type { Attack, Form, Outcome } from '../../src/proof/attack.ts';
import type { Measure } from '../../src/proof/measure.ts';
import {
  describeReport,
  markdownSection,
  objections,
  policyTable,
  reportJson,
  SECTION_BEGIN,
  SECTION_END,
} from '../../src/proof/report.ts';
import type { ProofReport } from '../../src/proof/run.ts';
import type { Judgement } from '../../src/proof/verdict.ts';
import { policyWith, VOCABULARY } from '../helpers/line.ts';

const measure = (name: string, value: number): Measure => ({
  name,
  value,
  range: [value - 0.01, value + 0.01],
  chance: 0.1,
  chanceRange: [0.08, 0.12],
  by: 'a method',
});
const form = (name: string, top: number, area: number): Form => ({
  name,
  measures: [measure('top-1', top), measure('AUC', area)],
});
const attackNamed = (name: string): Attack => ({
  name,
  asks: 'who?',
  source: 'somebody, 2000',
  targets: [],
  headline: 'top-1',
  floor: 0.5,
  run: () => Promise.reject(new Error('it is not run here')),
});
const underTest = (name: string) => ({ name, policy: policyWith(), vocabulary: VOCABULARY });
const judged = (verdict: Judgement['verdict'], ...reasons: readonly string[]): Judgement => ({ verdict, reasons });

const outcome: Outcome = {
  raw: [form('raw', 0.9, 0.99), form('raw, harder', 0.7, 0.8)],
  control: form('shuffled', 0.1, 0.5),
  released: [
    { policy: 'strict', forms: [form('table', 0.15, 0.55), { ...form('topic', 0.4, 0.7), isAside: true }] },
    { policy: 'loose', forms: [form('table', 0.3, 0.66)] },
  ],
};

const report: ProofReport = {
  seed: 7,
  quick: false,
  policies: [underTest('strict'), underTest('loose')],
  attacks: [
    {
      attack: attackNamed('rhythm'),
      outcome,
      judgements: [judged('fail', 'table: not AUC at most 0.5'), judged('pass')],
    },
    {
      attack: attackNamed('pointer'),
      outcome: undefined,
      judgements: [judged('not run', 'data is missing'), judged('not run', 'data is missing')],
    },
  ],
  utility: {
    nextAction: {
      raw: measure('next action', 0.72),
      released: [measure('next action', 0.71), measure('next action', 0.7)],
    },
    texts: [
      [{ column: 'window', shown: 10, whole: 4, partly: 5 }],
      [{ column: 'window', shown: 10, whole: 1, partly: 1 }],
    ],
    missing: undefined,
  },
};

describe('a report', () => {
  const text = describeReport(report);

  it('shows every figure of the judged policy with interval, chance, raw and control', () => {
    expect(text).toContain('policy strict, seed 7');
    expect(text).toMatch(
      /^rhythm +table +top-1 +0\.150 \(0\.140 to 0\.160\) +0\.100 \(0\.080 to 0\.120\) +0\.900 +0\.100 +fail; table: not AUC at most 0\.5$/mu,
    );
    expect(text).toMatch(/^ +topic +AUC +0\.700 /mu);
    expect(text).toMatch(/^ +raw, harder +top-1 +0\.700 /mu);
  });

  it('says aloud what was not run', () => {
    expect(text).toMatch(/^pointer +not run; data is missing$/mu);
  });

  it('compares policies, figure by figure', () => {
    const [head, raw, strict, loose] = policyTable(report);
    expect(head?.slice(0, 4)).toEqual(['policy', 'rhythm top-1', 'rhythm AUC', 'pointer top-1']);
    expect(raw?.slice(0, 4)).toEqual(['raw data', '0.900', '0.990', '']);
    expect(strict?.slice(0, 4)).toEqual(['strict', '0.150', '0.550', '']);
    expect(loose?.slice(0, 4)).toEqual(['loose', '0.300', '0.660', '']);
    expect(strict?.slice(5)).toEqual(['0.710', '0.400', '0.900', '', '']);
    expect(loose?.slice(5)).toEqual(['0.700', '0.100', '0.200', '', '']);
  });

  it('objects to what fails and to what was not run, and to nothing else', () => {
    expect(objections(report).map(({ attack, verdict }) => [attack.name, verdict])).toEqual([
      ['rhythm', 'fail'],
      ['pointer', 'not run'],
    ]);
    const well = report.attacks.slice(0, 1).map((one) => ({ ...one, judgements: [judged('no target')] }));
    expect(objections({ ...report, attacks: well })).toEqual([]);
  });

  it('is one section of a page, with markers around it', () => {
    const section = markdownSection(report);
    expect(section.startsWith(SECTION_BEGIN)).toBe(true);
    expect(section.endsWith(SECTION_END)).toBe(true);
    expect(section).toContain('seed 7');
    const widths = section.split('\n').filter((line) => line.startsWith('| '));
    expect(new Set(widths.slice(0, 4).map((line) => line.length)).size).toBe(1);
  });

  it('is plain data as JSON, with digests of the policies', () => {
    const json = JSON.parse(JSON.stringify(reportJson(report))) as unknown;
    expect(json).toMatchObject({
      seed: 7,
      policies: [{ name: 'strict', vocabulary: VOCABULARY.digest }, { name: 'loose' }],
      attacks: [
        {
          attack: 'rhythm',
          raw: [{ name: 'raw' }, {}],
          released: [{ policy: 'strict', verdict: 'fail' }, { verdict: 'pass' }],
        },
        { attack: 'pointer', raw: null, verdict: 'not run' },
      ],
    });
  });
});

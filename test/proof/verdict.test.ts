import { describe, expect, it } from 'vitest';
import type { Attack, Outcome, ReleasedForms } from '../../src/proof/attack.ts';
import { AT_CHANCE, LOW_AUC } from '../../src/proof/attacks/identification.ts';
import type { Measure } from '../../src/proof/measure.ts';
import { judge } from '../../src/proof/verdict.ts';

const measure = (name: string, value: number, more: Partial<Measure> = {}): Measure => ({
  name,
  value,
  range: [value - 0.01, value + 0.01],
  chance: 0.02,
  chanceRange: [0.01, 0.04],
  by: 'test',
  ...more,
});

const form = (name: string, top: number, area: number) => ({
  name,
  measures: [measure('top-1', top), measure('AUC', area, { chance: 0.5, chanceRange: [0.45, 0.55] })],
});

const attack = (more: Partial<Attack> = {}): Attack => ({
  name: 'test',
  asks: '',
  source: '',
  targets: [AT_CHANCE, LOW_AUC],
  headline: 'top-1',
  floor: 0.5,
  run: () => Promise.reject(new Error('it is not run here')),
  ...more,
});

const outcome = (raw: number, control: number): Outcome => ({
  raw: [form('raw', raw, 0.9)],
  control: form('shuffled', control, 0.5),
  released: [],
});

const released = (...forms: ReleasedForms['forms']): ReleasedForms => ({ policy: 'strict', forms });

describe('a verdict', () => {
  it.each([
    ['passes at chance', outcome(0.8, 0.02), released(form('table', 0.03, 0.52)), 'pass'],
    ['fails above what chance gives', outcome(0.8, 0.02), released(form('table', 0.05, 0.52)), 'fail'],
    ['fails with one of two targets missed', outcome(0.8, 0.02), released(form('table', 0.03, 0.56)), 'fail'],
    [
      'fails in any form that is judged',
      outcome(0.8, 0.02),
      released(form('a', 0.03, 0.5), form('b', 0.2, 0.5)),
      'fail',
    ],
    [
      'is not about what is shown beside',
      outcome(0.8, 0.02),
      released(form('table', 0.03, 0.52), { ...form('topic', 0.5, 0.9), isAside: true }),
      'pass',
    ],
    [
      'does not count an attack that fails on raw data',
      outcome(0.3, 0.02),
      released(form('table', 0.03, 0.5)),
      'too weak',
    ],
    ['nor one that may have succeeded by luck', outcome(0.505, 0.02), released(form('table', 0.03, 0.5)), 'too weak'],
    ['nor one that finds what is not there', outcome(0.8, 0.2), released(form('table', 0.03, 0.5)), 'too weak'],
    ['nor one whose figure is no number', outcome(Number.NaN, 0.02), released(form('table', 0.03, 0.5)), 'too weak'],
  ])('%s', (_what, found, forms, verdict) => {
    const judged = judge(attack(), found, forms);
    expect(judged.verdict).toBe(verdict);
    expect(judged.reasons.length > 0).toBe(verdict !== 'pass');
  });

  it('fails where a figure is no number', () => {
    expect(judge(attack(), outcome(0.8, 0.02), released(form('table', Number.NaN, 0.5))).verdict).toBe('fail');
  });

  it('without targets only tells', () => {
    expect(judge(attack({ targets: [] }), outcome(0.8, 0.02), released(form('table', 0.9, 0.9))).verdict).toBe(
      'no target',
    );
  });
});

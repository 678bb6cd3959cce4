/** The figures on docs/privacy-model.md stand in the form in which the program prints them: nobody wrote them by hand. */
import { describe, expect, it } from 'vitest';
import { ATTACKS, OPTIONS } from '../../src/proof/index.ts';
import { COLUMNS, PRICES, SECTION_BEGIN, SECTION_END, USES } from '../../src/proof/report.ts';
import { VERDICTS } from '../../src/proof/verdict.ts';
import { read } from '../docs/repository.ts';

const page = read('docs/privacy-model.md');
const section = page.slice(page.indexOf(SECTION_BEGIN), page.indexOf(SECTION_END));

/** Tables, as lists of rows of cells, each with its head and without the line under it. */
const tables = section
  .split('\n\n')
  .filter((block) => block.startsWith('| '))
  .map((block) =>
    block
      .split('\n')
      .filter((line) => !line.startsWith('| -'))
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      ),
  );
const NUMBER = /^-?\d\.\d{3}$/u;
const FIGURE = /^-?\d\.\d{3}( \(-?\d\.\d{3} to -?\d\.\d{3}\))?$/u;

describe('the figures on the page', () => {
  it('say under which policy and seed they were made, of all people', () => {
    expect(section).toMatch(/^Policy strict, seed \d+\. In brackets intervals/mu);
  });

  it('are those of every attack, in the program’s order and form', () => {
    const [head, ...rows] = tables[0] ?? [];
    expect(head).toEqual(COLUMNS);
    expect(rows.map(([name]) => name).filter((name) => name !== '')).toEqual(ATTACKS.map(({ name }) => name));
    for (const [name = '', form = '', measure, figure, chance, raw, shuffled, verdict = ''] of rows) {
      expect(form).not.toBe('');
      expect(['top-1', 'AUC', 'EER', 'risk', 'attack', 'control', 'advantage', 'found']).toContain(measure);
      for (const cell of [figure, chance]) expect(cell).toMatch(FIGURE);
      for (const cell of [raw, shuffled]) expect(cell).toMatch(NUMBER);
      const told = verdict.split(';')[0] ?? '';
      expect(name === '' ? [''] : [...VERDICTS].filter((one) => one !== 'not run')).toContain(told);
    }
  });

  it('give the price of every option that is shipped, against what it is good for', () => {
    const [head = [], ...rows] = tables[1] ?? [];
    const options = OPTIONS.map((option) => option.split('+').join(' + '));
    expect(head).toEqual(['policy', 'raw data', ...options]);
    expect(rows.map(([title]) => title)).toEqual([
      ...PRICES.map(({ attack, measure }) => `${attack} ${measure}`),
      ...USES.map(({ title }) => title),
    ]);
    for (const [, ...cells] of rows) for (const cell of cells) expect(cell).toMatch(NUMBER);
  });
});

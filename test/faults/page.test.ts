import { describe, expect, it } from 'vitest';
import { page } from '../docs/repository.ts';
import { FAULTS, type Told } from './told.ts';

/** docs/faults.md says of every fault what the scenarios of this folder assert. */
describe('docs/faults.md', () => {
  const { text } = page('docs/faults.md');
  const sections = text.split(/^(?=## )/mu).slice(1);
  const faults: readonly Told[] = Object.values(FAULTS);

  it('has a section for every fault, and no other', () => {
    const titles = sections.map((section) => /^## (.+)$/mu.exec(section)?.[1]);
    expect(titles).toEqual(faults.map(({ title }) => title));
  });

  it.each(faults)('$title: what happens, what the log and the metrics say, what to do', ({ title, log, metrics }) => {
    const section = sections.find((one) => one.startsWith(`## ${title}\n`)) ?? '';
    for (const part of ['What happens', 'Log', 'Metrics', 'What to do']) expect(section).toContain(`- **${part}:**`);
    const words = section.replaceAll(/\s+/gu, ' ');
    for (const told of [...log, ...metrics]) expect(words).toContain(told);
  });
});
